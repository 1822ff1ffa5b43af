import { parseFleetName } from '../../domain/swarm-names.ts'
import type { SwarmSettings } from '../../domain/swarm-stack.ts'
import type { Mender } from '../../ports/mender.ts'
import type { Orchestrator } from '../../ports/orchestrator.ts'
import type { Publishing } from '../../ports/publishing.ts'
import type { RemoteShell } from '../../ports/remote-shell.ts'
import type { Stack } from '../../ports/stack.ts'
import type { StateStore } from '../../ports/state-store.ts'
import type { Transport } from '../../ports/transport.ts'
import type { Workplace } from '../../ports/workplace.ts'
import { createManager } from './docker-client.ts'
import { createLabelledTransport } from './labelled-transport.ts'
import { createNodeLabels } from './node-labels.ts'
import { createSwarmOrchestrator } from './orchestrator.ts'
import { createSwarmPublishing } from './publishing.ts'
import { readFleet } from './read-fleet.ts'
import { createSwarmStack } from './stack.ts'
import { createSwarmStateStore } from './state-store.ts'
import { createSwarmWorkplace } from './workplace.ts'

export type SwarmEngineSettings = {
  readonly shell: RemoteShell
  /** Carries files to nodes. */
  readonly transport: Transport & Mender
  /** Names of nodes that are managers of the Swarm, in order of preference. */
  readonly managers: readonly string[]
  readonly stack: SwarmSettings
  /** Whether nodes hold only some shards of a generation. */
  readonly isSpread?: boolean
  readonly leaseSeconds: number
  /** Aborts when the operator interrupts. */
  readonly signal: AbortSignal
}

export type SwarmEngine = {
  readonly orchestrator: Orchestrator
  readonly state: StateStore
  readonly transport: Transport & Mender
  readonly publishing: Publishing
  readonly stack: Stack
  readonly workplace: Workplace
}

/** The engine `swarm`: its parts share the managers, and services change only under the lock. Raises `usage`. */
export function createSwarmEngine(settings: SwarmEngineSettings): SwarmEngine {
  const { shell, transport, managers, stack, isSpread = false, leaseSeconds, signal } = settings
  const fleet = parseFleetName(stack.fleet)
  const manager = createManager(shell, managers)
  const readFloor = async (now: AbortSignal) =>
    Math.max(0, ...(await readFleet(manager, fleet, now)).services.map(({ fence }) => fence))
  const state = createSwarmStateStore({ manager, fleet, leaseSeconds, readFloor, signal })
  return {
    state,
    orchestrator: createSwarmOrchestrator({ shell, manager, settings: stack, readFence: state.readFence }),
    transport: createLabelledTransport(
      transport,
      createNodeLabels(manager, { fleet, isSpread, readFence: state.readFence }),
    ),
    publishing: createSwarmPublishing(manager, signal),
    stack: createSwarmStack({ manager, settings: stack }),
    workplace: createSwarmWorkplace({ shell, manager }),
  }
}
