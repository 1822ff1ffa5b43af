import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { examineLoners } from '../../domain/examine-members.ts'
import { type Finding, fail } from '../../domain/finding.ts'
import type { RemoteShell } from '../../ports/remote-shell.ts'
import type { Surroundings, Survey } from '../../ports/surroundings.ts'
import type { Transport } from '../../ports/transport.ts'
import { createManager } from './docker-client.ts'
import { examineMachines, examineSwarm, type SwarmNeeds } from './examine-answers.ts'
import { readMachine } from './read-machine.ts'
import { readSwarm, type SwarmFacts } from './read-swarm.ts'

export type SwarmSurroundingsSettings = SwarmNeeds & {
  readonly shell: RemoteShell
  /** Reads what lies on nodes, whatever they are marked as. */
  readonly transport: Pick<Transport, 'inspect'>
  readonly nodes: readonly { readonly name: string; readonly user: string }[]
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** Everything that only machines and managers of a Swarm know, asked over SSH: what is on them is judged in the domain. */
export function createSwarmSurroundings(settings: SwarmSurroundingsSettings): Surroundings {
  const { shell, transport, nodes, stack, images, gateway, now = Date.now } = settings
  const { dataDirectory: directory } = stack
  const parts = { shell, transport, directory, images, port: gateway.port, now }
  return {
    async examine(signal) {
      const [settled, swarm] = await Promise.all([
        Promise.allSettled(nodes.map((node) => readMachine(node, parts, signal))),
        askManagers(settings, signal),
      ])
      const machines = settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
      return {
        silent: settled.flatMap((one, at) =>
          one.status === 'fulfilled' ? [] : describeSilence(nodes[at]!.name, one.reason),
        ),
        findings: [
          ...examineMachines(machines, settings),
          ...('problem' in swarm
            ? [swarm.problem, ...examineLoners(machines.map(({ engine }) => engine))]
            : examineSwarm(swarm, machines, settings)),
        ],
      }
    },
  }
}

/** Asks all managers at once, and takes the first answer: one that is cut off would hold up the others. */
async function askManagers(
  { shell, managers, stack }: SwarmSurroundingsSettings,
  signal: AbortSignal,
): Promise<SwarmFacts | { readonly problem: Finding }> {
  const enough = new AbortController()
  const asking = AbortSignal.any([signal, enough.signal])
  try {
    return await Promise.any(
      managers.map((name) => readSwarm(createManager(shell, [name]), stack.fleet, asking)),
    )
  } catch (error) {
    const reasons = error instanceof AggregateError ? error.errors.map(messageOf) : [messageOf(error)]
    const hint = 'services run on without managers, but nothing can be changed: bring one back'
    return { problem: fail('managers', [...new Set(reasons)].join('; '), hint) }
  } finally {
    enough.abort()
  }
}

function describeSilence(name: string, error: unknown): Survey['silent'][number] {
  const hint = error instanceof LongshoreError ? error.hint : undefined
  return { name, problem: messageOf(error), ...(hint !== undefined && { hint }) }
}
