import { isSameSpec } from './plan-services.ts'
import type { ServiceSpec } from './service.ts'
import type { SwarmNode, SwarmService, SwarmTask } from './swarm-inspect.ts'

/** A service with all its tasks, former ones too, at one moment. */
export type SwarmView = {
  readonly service: SwarmService | undefined
  readonly tasks: readonly SwarmTask[]
  readonly nodes: readonly SwarmNode[]
}

export type Verdict =
  | { readonly state: 'settled' }
  | { readonly state: 'waiting'; readonly why: string; readonly task?: SwarmTask }
  /** It will not settle by itself. */
  | { readonly state: 'failed'; readonly why: string; readonly task?: SwarmTask }

export type Wanted = {
  readonly spec: ServiceSpec
  /** Ids of tasks that were there when the wait began: their failures are none of what is waited for. */
  readonly known: ReadonlySet<string>
}

const ENDED = ['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned']
const FAILED = ['failed', 'rejected', 'complete']

export function hasEnded({ state }: SwarmTask): boolean {
  return ENDED.includes(state)
}

/** Whether a task shall run, as far as the Swarm is concerned. */
export function isWanted({ desired, state }: SwarmTask): boolean {
  return !ENDED.includes(desired) && !ENDED.includes(state)
}

/** Whether a task runs on although it shall not, on a node that can still tell. */
export function isLeaving(task: SwarmTask, nodes: readonly SwarmNode[]): boolean {
  const isLost = nodes.some(({ id, isDown }) => isDown && id === task.nodeId)
  return ENDED.includes(task.desired) && !ENDED.includes(task.state) && task.container !== null && !isLost
}

/**
 * Where a service stands on its way to a spec. An exit code of `docker` says nothing of it: an update that the Swarm
 * rolled back by itself ends with 0, and a task that cannot be placed is waited for without end.
 */
export function judge(view: SwarmView, { spec, known }: Wanted): Verdict {
  const { service, tasks } = view
  if (!service) return { state: 'failed', why: `${spec.name} was removed by somebody else` }
  const failed = findFailed(view, known)
  const update = service.update
  if (!isSameSpec(service.spec, spec)) {
    const rollback = update?.state.startsWith('rollback')
    const why = rollback
      ? `the Swarm went back by itself: ${update!.message}`
      : `${spec.name} was changed by somebody else`
    const culprit = findLatestFailure(tasks, known, (task) => task.mark !== service.mark)
    return { state: 'failed', why, ...(rollback && culprit && { task: culprit }) }
  }
  if (update?.state === 'paused' || update?.state === 'rollback_paused') {
    return { state: 'failed', why: `the Swarm paused: ${update.message}`, ...(failed && { task: failed }) }
  }
  if (update?.state === 'updating' || update?.state === 'rollback_started') {
    return describeWaiting(view, update.message || update.state)
  }
  if (failed) return { state: 'failed', why: `${spec.name}.${failed.slot} ended`, task: failed }
  return judgeTasks(view, spec)
}

function judgeTasks(view: SwarmView, spec: ServiceSpec): Verdict {
  const { service, tasks, nodes } = view
  const ready = tasks.filter(
    (task) => isWanted(task) && task.state === 'running' && task.mark === service!.mark,
  )
  if (ready.length < spec.replicas) {
    return describeWaiting(view, `${ready.length} of ${spec.replicas} tasks of ${spec.name} are ready`)
  }
  const others = tasks.filter((task) => (isWanted(task) && !ready.includes(task)) || isLeaving(task, nodes))
  if (others.length === 0 && ready.length === spec.replicas) return { state: 'settled' }
  return { state: 'waiting', why: `${others.length} former tasks of ${spec.name} are ending` }
}

/** Waiting, in the words of the scheduler where a task cannot be placed. */
function describeWaiting({ service, tasks }: SwarmView, why: string): Verdict {
  const current = tasks.filter((task) => isWanted(task) && task.mark === service!.mark)
  const unplaced = current.find(({ state, problem }) => state === 'pending' && problem !== null)
  if (unplaced) return { state: 'waiting', why: unplaced.problem! }
  const task = current.find(({ state }) => state !== 'running')
  return { state: 'waiting', why, ...(task && { task }) }
}

function findFailed({ service, tasks }: SwarmView, known: ReadonlySet<string>): SwarmTask | undefined {
  return findLatestFailure(tasks, known, (task) => task.mark === service!.mark)
}

function findLatestFailure(
  tasks: readonly SwarmTask[],
  known: ReadonlySet<string>,
  isMeant: (task: SwarmTask) => boolean,
): SwarmTask | undefined {
  return tasks
    .filter((task) => FAILED.includes(task.state) && !known.has(task.id) && isMeant(task))
    .toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))[0]
}
