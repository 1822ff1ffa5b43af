import { LongshoreError } from '../../domain/errors.ts'
import type { GenerationRef } from '../../domain/generation.ts'
import type { SwarmNode } from '../../domain/swarm-inspect.ts'
import { commonLabel, isLabelOf, memberLabel, readyLabel, shardLabel } from '../../domain/swarm-names.ts'
import { addNodeLabels, removeNodeLabels } from './docker-argv.ts'
import type { AskOptions, Manager } from './docker-client.ts'
import type { Engine } from './engine-parts.ts'
import { readNodes } from './read-fleet.ts'

/** What a node is marked with of a generation: all of it, the shards of these clusters, or nothing. */
export type Mark = 'all' | readonly number[] | null

/** Tells the scheduler which nodes hold what of a generation whole: no task goes where it lacks what it reads. */
export interface NodeLabels {
  /** Tells what a node is marked with. Those who ask at once are answered from one look. */
  readMarks(node: string, signal: AbortSignal): Promise<(generation: GenerationRef) => Mark>
  /** Marks all of a generation, or the shards of some clusters. Raises `usage` for a node that is not in the Swarm. */
  mark(
    node: string,
    generation: GenerationRef,
    signal: AbortSignal,
    clusters?: readonly number[],
  ): Promise<void>
  /** Takes every mark of a generation away, whatever its content; does nothing where there is none. */
  unmark(node: string, generation: string, signal: AbortSignal): Promise<void>
}

export type LabelSettings = {
  readonly fleet: string
  /** The lock that marks are changed under: a mark may not go or come for whoever has lost it. */
  readonly readFence?: Engine['readFence']
  /** Services ask for the marks of shards: that all of a generation is there tells them nothing. */
  readonly isSpread?: boolean
}

export function createNodeLabels(
  manager: Manager,
  { fleet, readFence = async () => 0, isSpread = false }: LabelSettings,
): NodeLabels {
  const write = async (args: readonly string[], signal: AbortSignal) =>
    writeLabel(manager, args, { signal, fence: { fleet, number: await readFence(signal) } })
  const findNodes = async (name: string, signal: AbortSignal) =>
    (await readNodes(manager, signal)).filter((node) => node.name === name)
  const readTogether = onceATurn((signal) => readNodes(manager, signal))
  return {
    async readMarks(name, signal) {
      const nodes = (await readTogether(signal)).filter((node) => node.name === name)
      return (generation) => findMark({ fleet, isSpread }, nodes, generation)
    },
    async mark(name, generation, signal, clusters) {
      const wanted = listLabels(fleet, generation, clusters)
      const nodes = await findNodes(name, signal)
      if (nodes.length === 0) throw describeStranger(name)
      for (const { id, labels } of nodes) {
        const missing = wanted.filter(({ key, value }) => labels[key] !== value)
        const added = Object.fromEntries(missing.map(({ key, value }) => [key, value]))
        if (missing.length > 0) await write(addNodeLabels(id, added), signal)
      }
    },
    async unmark(name, generation, signal) {
      const { key } = readyLabel(fleet, { name: generation, digest: '' })
      for (const { id, labels } of await findNodes(name, signal)) {
        const own = Object.keys(labels).filter((one) => one === key || one.startsWith(`${key}.`))
        if (own.length > 0) await write(removeNodeLabels(id, own), signal)
      }
    },
  }
}

function listLabels(fleet: string, generation: GenerationRef, clusters: readonly number[] | undefined) {
  if (clusters === undefined) return [readyLabel(fleet, generation)]
  return [
    commonLabel(fleet, generation),
    ...clusters.map((cluster) => shardLabel(fleet, generation, cluster)),
  ]
}

/** What all nodes of one name are marked with. */
function findMark(
  { fleet, isSpread }: Required<Pick<LabelSettings, 'fleet' | 'isSpread'>>,
  nodes: readonly SwarmNode[],
  generation: GenerationRef,
): Mark {
  const hasAll = ({ key, value }: { key: string; value: string }) =>
    nodes.length > 0 && nodes.every(({ labels }) => labels[key] === value)
  const isWhole = hasAll(readyLabel(fleet, generation))
  if (isWhole && !isSpread) return 'all'
  if (!isWhole && !hasAll(commonLabel(fleet, generation))) return null
  const prefix = shardLabel(fleet, generation, 0).key.slice(0, -1)
  return Object.keys(nodes[0]!.labels)
    .filter((key) => key.startsWith(prefix))
    .map((key) => Number(key.slice(prefix.length)))
    .filter((cluster) => hasAll(shardLabel(fleet, generation, cluster)))
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
    await writeLabel(manager, addNodeLabels(node.id, { [key]: 'member' }), { signal })
  }
}

/**
 * Names of the fleet's nodes that are not wanted: a placement can exclude nodes, but not list them. A node that holds a
 * generation counts, because the next service may make it a member; where a service asks for labels of `gates`, only nodes
 * that have these. Raises `usage` for a wanted node that is not in the Swarm.
 */
export function listOtherMembers(
  fleet: string,
  { nodes, wanted }: Members,
  gates: readonly string[] = [],
): string[] {
  const stranger = wanted.find((name) => !nodes.some((node) => node.name === name))
  if (stranger !== undefined) throw describeStranger(stranger)
  const isKnown = ({ labels }: SwarmNode) =>
    Object.keys(labels).some((key) => isLabelOf(fleet, key)) && gates.every((key) => key in labels)
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
