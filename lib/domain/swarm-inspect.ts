import { canonicalJson, type Json } from './canonical-json.ts'
import { LongshoreError } from './errors.ts'
import { countGpus, type RawResource } from './gpu-settings.ts'
import type { ServiceSpec } from './service.ts'
import { LABELS } from './swarm-names.ts'
import { describeRunning, type RawRunning } from './swarm-running.ts'
import type { StackService } from './swarm-stack.ts'

/** Where an update of a service stands, as the Swarm tells it. */
export type UpdateState =
  | 'updating'
  | 'paused'
  | 'completed'
  | 'rollback_started'
  | 'rollback_paused'
  | 'rollback_completed'

export type SwarmService = {
  readonly id: string
  /** What it was made by, with the number of replicas that it has now. */
  readonly spec: ServiceSpec
  /** What it was made of; null where somebody took the label away. */
  readonly made: StackService | null
  /** The same with what was changed by hand since. */
  readonly content: StackService | null
  readonly fence: number
  /** The same for the tasks that it has now, another one for those of another making. */
  readonly mark: string
  readonly update: { readonly state: UpdateState; readonly message: string } | null
}

export type SwarmTask = {
  readonly id: string
  readonly serviceId: string
  readonly slot: number
  readonly mark: string
  /** Null while it has not been placed. */
  readonly nodeId: string | null
  /** `new`, `pending`, ... `running`, `complete`, `shutdown`, `failed`, `rejected`, `remove`, `orphaned`. */
  readonly state: string
  readonly desired: string
  readonly problem: string | null
  /** Null until it has one. */
  readonly container: string | null
  readonly createdAt: string
}

export type SwarmNode = {
  readonly id: string
  readonly name: string
  readonly isDown: boolean
  readonly labels: Readonly<Record<string, string>>
  /** GPUs that it offers to services. */
  readonly gpus: number
}

/** Services of Longshore among what `docker service inspect` prints. Raises `remote` when it is something else. */
export function parseServices(text: string): SwarmService[] {
  return parseList<RawService>(text, 'docker service inspect').flatMap(({ ID, Spec, UpdateStatus }) => {
    const { Labels = {}, TaskTemplate, Mode } = Spec
    const spec = parseLabel<ServiceSpec>(Labels[LABELS.spec])
    if (!spec) return []
    const made = parseLabel<StackService>(Labels[LABELS.made])
    const { State, Message } = UpdateStatus ?? {}
    return {
      id: ID,
      spec: { ...spec, replicas: Mode?.Replicated?.Replicas ?? spec.replicas },
      made,
      content: made && describeRunning(made, Spec),
      fence: Number(Labels[LABELS.fence] ?? 0),
      mark: markOf(TaskTemplate),
      update: State ? { state: State as UpdateState, message: Message ?? '' } : null,
    }
  })
}

/** What `docker inspect --type task` prints. Raises `remote` when it is something else. */
export function parseTasks(text: string): SwarmTask[] {
  return parseList<RawTask>(text, 'docker inspect').map(({ Status, ...task }) => ({
    id: task.ID,
    serviceId: task.ServiceID,
    slot: task.Slot ?? 0,
    mark: markOf(task.Spec),
    nodeId: task.NodeID || null,
    state: Status.State,
    desired: task.DesiredState,
    problem: Status.Err || null,
    container: Status.ContainerStatus?.ContainerID || null,
    createdAt: task.CreatedAt,
  }))
}

/** What `docker node inspect` prints. Raises `remote` when it is something else. */
export function parseNodes(text: string): SwarmNode[] {
  return parseList<RawNode>(text, 'docker node inspect').map(({ ID, Description, Status, Spec }) => ({
    id: ID,
    name: Description?.Hostname ?? ID,
    isDown: Status.State !== 'ready',
    labels: Spec.Labels ?? {},
    gpus: countGpus(Description?.Resources?.GenericResources),
  }))
}

type RawTemplate = RawRunning['TaskTemplate'] & {
  readonly ContainerSpec?: { readonly [key: string]: Json }
  readonly ForceUpdate?: number
}
type RawService = {
  readonly ID: string
  readonly Spec: RawRunning & { readonly Labels?: Record<string, string>; readonly TaskTemplate: RawTemplate }
  readonly UpdateStatus?: { readonly State?: string; readonly Message?: string }
}
type RawTask = {
  readonly ID: string
  readonly ServiceID: string
  readonly Slot?: number
  readonly NodeID?: string
  readonly CreatedAt: string
  readonly DesiredState: string
  readonly Spec: RawTemplate
  readonly Status: {
    readonly State: string
    readonly Err?: string
    readonly ContainerStatus?: { readonly ContainerID?: string }
  }
}
type RawOffer = { readonly GenericResources?: readonly RawResource[] | null }
type RawNode = {
  readonly ID: string
  readonly Description?: { readonly Hostname?: string; readonly Resources?: RawOffer }
  readonly Status: { readonly State: string }
  readonly Spec: { readonly Labels?: Record<string, string> }
}

/** Members that the engine prints alike for a service and for its tasks; of others it leaves out the empty ones here and there. */
const MARKED = ['Image', 'Command', 'Args', 'Env', 'Mounts', 'Healthcheck', 'StopGracePeriod']

function markOf({ ContainerSpec = {}, ForceUpdate = 0 }: RawTemplate): string {
  return canonicalJson([ForceUpdate, ...MARKED.map((member) => ContainerSpec[member] ?? null)])
}

function parseLabel<T>(text: string | undefined): T | null {
  if (text === undefined) return null
  try {
    return JSON.parse(text) as T
  } catch {
    // Somebody wrote over it: the service is not as Longshore made it.
    return null
  }
}

/** A list that `command` printed as JSON. Raises `remote` when it is something else. */
export function parseList<T>(text: string, command: string): T[] {
  try {
    const list: unknown = JSON.parse(text)
    if (Array.isArray(list)) return list as T[]
  } catch (error) {
    throw new LongshoreError('remote', `${command} printed no JSON: ${text.slice(0, 200)}`, { cause: error })
  }
  throw new LongshoreError('remote', `${command} printed no list: ${text.slice(0, 200)}`)
}
