import { LongshoreError } from './errors.ts'
import type { GenerationRef } from './generation.ts'
import { shardDirectory } from './manifest.ts'
import type { ServiceKind, ServiceSpec } from './service.ts'

/** Labels of a service. They are on the service, not on its tasks: changing one restarts nothing. */
export const LABELS = {
  fleet: 'longshore.fleet',
  /** The ServiceSpec, as JSON. */
  spec: 'longshore.spec',
  /** What the service was made of, as JSON: applying it again brings exactly this service back. */
  made: 'longshore.made',
  /** The fence of the lease under which it was changed last. */
  fence: 'longshore.fence',
} as const

/** The port on which tasks of a kind listen, each at an address of its own. */
export const TASK_PORTS: Readonly<Record<ServiceKind, number>> = {
  gateway: 14005,
  index: 14000,
  extraction: 8501,
}

const FLEET = /^[A-Za-z0-9]([A-Za-z0-9_-]{0,30}[A-Za-z0-9])?$/

/** The name by which a Swarm knows the fleet of a profile. Raises `usage` where the Swarm cannot use it. */
export function parseFleetName(name: string): string {
  if (FLEET.test(name)) return name
  throw new LongshoreError(
    'usage',
    `name: "${name}" cannot name services of a Swarm; expected at most 32 letters, digits, dashes and underscores, ` +
      'beginning and ending with a letter or a digit',
  )
}

/** The name of a service in the Swarm, which fleets share. */
export function swarmServiceName(fleet: string, service: string): string {
  return `${fleet}_${service}`
}

export function networkName(fleet: string): string {
  return `longshore_${fleet}`
}

/** The label of nodes that belong to a fleet, whatever they hold. */
export function memberLabel(fleet: string): string {
  return `longshore.${fleet}.node`
}

/** The label of nodes on which a generation lies whole; another content under the same name is another value. */
export function readyLabel(fleet: string, { name, digest }: GenerationRef): { key: string; value: string } {
  return { key: `longshore.${fleet}.${name}`, value: digest.replace('sha256:', '').slice(0, 16) }
}

/** The label of nodes that hold what every node holds of a generation whose shards are spread. */
export function commonLabel(fleet: string, generation: GenerationRef): { key: string; value: string } {
  const { key, value } = readyLabel(fleet, generation)
  return { key: `${key}.common`, value }
}

/** The label of nodes on which the shard of a cluster lies whole, where shards are spread. */
export function shardLabel(
  fleet: string,
  generation: GenerationRef,
  cluster: number,
): { key: string; value: string } {
  const { key, value } = readyLabel(fleet, generation)
  return { key: `${key}.${shardDirectory(cluster)}`, value }
}

/** The label that a service asks of a node for one of its generations. */
export function gateLabel(
  fleet: string,
  { isSpread, cluster }: Pick<ServiceSpec, 'isSpread' | 'cluster'>,
  generation: GenerationRef,
): { key: string; value: string } {
  if (!isSpread) return readyLabel(fleet, generation)
  return cluster === undefined ? commonLabel(fleet, generation) : shardLabel(fleet, generation, cluster)
}

/** Whether a label of a node is of this fleet: that it is a member, or what it holds. */
export function isLabelOf(fleet: string, key: string): boolean {
  return key.startsWith(`longshore.${fleet}.`)
}
