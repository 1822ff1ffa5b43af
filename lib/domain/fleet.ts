import { type GenerationRef, isSameGeneration } from './generation.ts'
import { GATEWAY, type ServiceState, type Task } from './service.ts'

/** What a node holds under the name of a generation; `digest` is null where the manifest there cannot be read. */
export type HeldCopy = {
  readonly name: string
  readonly digest: string | null
  /** Ids of the clusters whose shards are there; all of them where left out. */
  readonly clusters?: readonly number[]
}

/** A node as observed. */
export type FleetNode = {
  readonly name: string
  readonly reachable: boolean
  readonly problem?: string
  /** What helps against the problem. */
  readonly hint?: string
  readonly freeBytes: number
  readonly memoryBytes: number
  readonly generations: readonly HeldCopy[]
  /** Bytes on its disk by the name of a generation, for all there is of it: held, damaged or not yet whole. */
  readonly taken?: Readonly<Record<string, number>>
  /** Names of generations that relays have brought pieces of, which only relays can go on from. */
  readonly inPieces?: readonly string[]
}

/** What really stands at one moment: every node of the profile, and every service with its tasks. */
export type Fleet = { readonly nodes: readonly FleetNode[]; readonly services: readonly ServiceState[] }

export function findService(fleet: Fleet, name: string): ServiceState | undefined {
  return fleet.services.find(({ spec }) => spec.name === name)
}

/** Whether a node holds the shards of these clusters of a generation, or with none given all of it. */
export function isHeld(node: FleetNode, generation: GenerationRef, clusters?: readonly number[]): boolean {
  const held = findHeld(node, generation)
  if (!held?.clusters) return held !== undefined
  return clusters?.every((cluster) => held.clusters!.includes(cluster)) ?? false
}

/** What a node holds of this very generation. */
export function findHeld(node: FleetNode, { name, digest }: GenerationRef): HeldCopy | undefined {
  return node.generations.find((held) => held.name === name && held.digest === digest)
}

/** The distinct generations that ready gateway tasks route by; more than one while a switch is unfinished. */
export function listServed(fleet: Fleet): GenerationRef[] {
  const tasks = findService(fleet, GATEWAY)?.tasks ?? []
  const served = tasks.filter(({ state }) => state === 'ready').flatMap(({ generations }) => generations)
  return served.filter((one, index) => served.findIndex((other) => isSameGeneration(one, other)) === index)
}

/** The generation that queries are answered from: what all gateway tasks tell, else what the gateway shall route by. */
export function findServed(fleet: Fleet): GenerationRef | null {
  const served = listServed(fleet)
  return (served.length === 1 ? served[0] : findService(fleet, GATEWAY)?.spec.generations[0]) ?? null
}

/** No task answers: then the gateway cannot become ready, and dropping a generation takes nothing away. */
export function isSilent({ tasks }: ServiceState): boolean {
  return tasks.every(({ state }) => state !== 'ready')
}

/** A change that a dead run began may still end, after which the service is not as its spec says now. */
export function isChanging({ tasks }: ServiceState): boolean {
  return tasks.some(({ state }) => state === 'starting')
}

/** Why a service is not as its own spec says, in words; undefined when every task is ready and serves what it shall. */
export function findServiceProblem({ spec, tasks }: ServiceState): string | undefined {
  const lacking = tasks.map((task) => findTaskProblem(task, spec.generations)).find(Boolean)
  if (lacking) return lacking
  const ready = tasks.filter(({ state }) => state === 'ready').length
  return ready < spec.replicas ? `${ready} of ${spec.replicas} tasks of ${spec.name} are ready` : undefined
}

/**
 * `fleet` where a task is lost with what it ran on, or nothing even tries to run one: then no problem of these services
 * speaks against a generation.
 */
export function findBlame(services: readonly ServiceState[]): 'fleet' | undefined {
  const isLost = ({ tasks }: ServiceState) => tasks.length === 0 || tasks.some((task) => task.isLost)
  return services.some(isLost) ? 'fleet' : undefined
}

function findTaskProblem(task: Task, wanted: readonly GenerationRef[]): string | undefined {
  if (task.state === 'draining') return undefined
  const where = `${task.id} on ${task.node}`
  if (task.state !== 'ready') return `${where} is ${task.state}${task.problem ? `: ${task.problem}` : ''}`
  const missing = wanted.find((one) => !task.generations.some((held) => isSameGeneration(one, held)))
  return missing && `${where} does not serve ${missing.name}`
}
