import { LongshoreError } from '../../domain/errors.ts'
import type { GenerationRef } from '../../domain/generation.ts'
import type { SwarmNode } from '../../domain/swarm-inspect.ts'
import { isLabelOf, memberLabel, readyLabel } from '../../domain/swarm-names.ts'
import { addNodeLabel, removeNodeLabel } from './docker-argv.ts'
import type { AskOptions, Manager } from './docker-client.ts'
import type { Engine } from './engine-parts.ts'
import { readNodes } from './read-fleet.ts'

/** Tells the scheduler which nodes hold which generations whole: no task of a generation goes anywhere else. */
export interface NodeLabels {
  /** Tells which generations a node is marked with. Those who ask at once are answered from one look. */
  readMarks(node: string, signal: AbortSignal): Promise<(generation: GenerationRef) => boolean>
  /** Raises `usage` for a node that is not in the Swarm. */
  mark(node: string, generation: GenerationRef, signal: AbortSignal): Promise<void>
  /** Takes the mark of a generation away, whatever its content; does nothing where there is none. */
  unmark(node: string, generation: string, signal: AbortSignal): Promise<void>
}

/** `readFence` tells the lock that marks are changed under: a mark may not go or come for whoever has lost it. */
export function createNodeLabels(
  manager: Manager,
  fleet: string,
  readFence: Engine['readFence'] = async () => 0,
): NodeLabels {
  const write = async (args: readonly string[], signal: AbortSignal) =>
    writeLabel(manager, args, { signal, fence: { fleet, number: await readFence(signal) } })
  const findNodes = async (name: string, signal: AbortSignal) =>
    (await readNodes(manager, signal)).filter((node) => node.name === name)
  const readTogether = onceATurn((signal) => readNodes(manager, signal))
  return {
    async readMarks(name, signal) {
      const nodes = (await readTogether(signal)).filter((node) => node.name === name)
      return (generation) => {
        const { key, value } = readyLabel(fleet, generation)
        return nodes.length > 0 && nodes.every(({ labels }) => labels[key] === value)
      }
    },
    async mark(name, generation, signal) {
      const { key, value } = readyLabel(fleet, generation)
      const nodes = await findNodes(name, signal)
      if (nodes.length === 0) throw describeStranger(name)
      for (const { id, labels } of nodes) {
        if (labels[key] !== value) await write(addNodeLabel(id, key, value), signal)
      }
    },
    async unmark(name, generation, signal) {
      const { key } = readyLabel(fleet, { name: generation, digest: '' })
      for (const { id, labels } of await findNodes(name, signal)) {
        if (key in labels) await write(removeNodeLabel(id, key), signal)
      }
    },
  }
}

/** Reads once for all who ask with the same signal before the program waits for anything. */
function onceATurn<T>(read: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  const asked = new Map<AbortSignal, Promise<T>>()
  return (signal) => {
    const answer = asked.get(signal) ?? read(signal)
    asked.set(signal, answer)
    setImmediate(() => asked.delete(signal))
    return answer
  }
}

export type Members = { readonly nodes: readonly SwarmNode[]; readonly wanted: readonly string[] }

type MemberMeans = { readonly manager: Manager; readonly settings: { readonly fleet: string } }

/** Labels those of the wanted nodes that are in the Swarm as members of the fleet. */
export async function prepareMembers(
  { manager, settings: { fleet } }: MemberMeans,
  { nodes, wanted }: Members,
  signal: AbortSignal,
): Promise<void> {
  const key = memberLabel(fleet)
  for (const node of nodes) {
    if (!wanted.includes(node.name) || node.labels[key] === 'member') continue
    await writeLabel(manager, addNodeLabel(node.id, key, 'member'), { signal })
  }
}

/**
 * Names of the fleet's nodes that are not wanted: a placement can exclude nodes, but not list them. A node that holds a
 * generation counts, because the next service may make it a member. Raises `usage` for a wanted node that is not in the
 * Swarm.
 */
export function listOtherMembers(fleet: string, { nodes, wanted }: Members): string[] {
  const stranger = wanted.find((name) => !nodes.some((node) => node.name === name))
  if (stranger !== undefined) throw describeStranger(stranger)
  const isKnown = ({ labels }: SwarmNode) => Object.keys(labels).some((key) => isLabelOf(fleet, key))
  const others = nodes.filter((node) => isKnown(node) && !wanted.includes(node.name))
  return [...new Set(others.map(({ name }) => name))]
}

/** A node's heartbeat changes it too, and then the Swarm refuses what was read before. */
async function writeLabel(manager: Manager, args: readonly string[], options: AskOptions): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const result = await manager.run(args, options)
    if (result.code === 0) return
    if (attempt === 10 || !/out of sequence/i.test(result.stderr)) {
      throw new LongshoreError('remote', `docker node update: ${result.stderr.trim()}`)
    }
  }
}

function describeStranger(name: string): LongshoreError {
  return new LongshoreError('usage', `nodes: ${name} is the host name of no node of the Swarm`, {
    hint: 'docker node ls shows host names; a profile calls its nodes the same',
  })
}
