import { isSameContent, type MadeService } from './made-service.ts'
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
  /** All its tasks are ready; what is left, former tasks that end or the Swarm's own watch, takes a time of its own. */
  | { readonly state: 'ending'; readonly why: string }
  /** It will not settle by itself; `blame` where that speaks of what runs the tasks, not of what they run. */
  | { readonly state: 'failed'; readonly why: string; readonly task?: SwarmTask; readonly blame?: 'fleet' }

export type Wanted = {
  readonly wanted: MadeService
  /** Ids of tasks that were there when the wait began: their failures are none of what is waited for. */
  readonly known: ReadonlySet<string>
}

const ENDED = ['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned']
const FAILED = ['failed', 'rejected', 'complete']
/**
 * Told of every task with a generic resource when anything of its node changes, a label for instance: another one is started by
 * itself. Source: swarmkit, manager/orchestrator/constraintenforcer (a resource that is there counts as gone).
 */
const ENFORCED = /no longer meets constraints/
/** How the Swarm tells of `docker service update --rollback`. */
const MANUAL = /manually requested/

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
export function judge(view: SwarmView, { wanted, known }: Wanted): Verdict {
  const { spec } = wanted
  const { service, tasks } = view
  if (!service) return { state: 'failed', why: `${spec.name} was removed by somebody else`, blame: 'fleet' }
  const failed = findFailed(view, known, (task) => !(spec.isOnGpu && ENFORCED.test(task.problem ?? '')))
  const update = service.update
  if (!isMadeAs(service, wanted)) {
    const hasGoneBack = update?.state.startsWith('rollback') && !MANUAL.test(update.message)
    if (!hasGoneBack) {
      return { state: 'failed', why: `${spec.name} was changed by somebody else`, blame: 'fleet' }
    }
    const culprit = findLatestFailure(tasks, known, (task) => task.mark !== service.mark)
    const why = `the Swarm went back by itself: ${update!.message}`
    return { state: 'failed', why, ...(culprit && { task: culprit }) }
  }
  if (update?.state === 'paused' || update?.state === 'rollback_paused') {
    return { state: 'failed', why: `the Swarm paused: ${update.message}`, ...(failed && { task: failed }) }
  }
  if (update?.state === 'updating' || update?.state === 'rollback_started') {
    const why = update.message || update.state
    return countSlots(findReady(view)) < spec.replicas ? describeWaiting(view, why) : { state: 'ending', why }
  }
  if (failed) return { state: 'failed', why: `${spec.name}.${failed.slot} ended`, task: failed }
  return judgeTasks(view, spec)
}

/** By what Longshore wrote on the service, or by what runs: a recipe that only looks different is no other service. */
function isMadeAs({ spec, made, content }: SwarmService, wanted: MadeService): boolean {
  if (!isSameSpec(spec, wanted.spec)) return false
  return made === null || [made, content!].some((own) => isSameContent(own, wanted.content))
}

function judgeTasks(view: SwarmView, spec: ServiceSpec): Verdict {
  const { tasks, nodes } = view
  const ready = findReady(view)
  const filled = countSlots(ready)
  if (filled < spec.replicas) {
    return describeWaiting(view, `${filled} of ${spec.replicas} tasks of ${spec.name} are ready`)
  }
  const others = tasks.filter((task) => (isWanted(task) && !ready.includes(task)) || isLeaving(task, nodes))
  const left = others.length + filled - spec.replicas
  return left === 0
    ? { state: 'settled' }
    : { state: 'ending', why: `${left} former tasks of ${spec.name} are ending` }
}

/** A node that was down and is back may leave two tasks in one place, which the Swarm bears until its next change. */
function countSlots(tasks: readonly SwarmTask[]): number {
  return new Set(tasks.map(({ slot }) => slot)).size
}

function findReady({ service, tasks }: SwarmView): SwarmTask[] {
  return tasks.filter((task) => isWanted(task) && task.state === 'running' && task.mark === service!.mark)
}

/** Waiting, in the words of the scheduler where a task cannot be placed. */
function describeWaiting({ service, tasks }: SwarmView, why: string): Verdict {
  const current = tasks.filter((task) => isWanted(task) && task.mark === service!.mark)
  const unplaced = current.find(({ state, problem }) => state === 'pending' && problem !== null)
  if (unplaced) return { state: 'waiting', why: unplaced.problem! }
  const task = current.find(({ state }) => state !== 'running')
  return { state: 'waiting', why, ...(task && { task }) }
}

function findFailed(
  { service, tasks }: SwarmView,
  known: ReadonlySet<string>,
  isOwnFault: (task: SwarmTask) => boolean,
): SwarmTask | undefined {
  return findLatestFailure(tasks, known, (task) => task.mark === service!.mark && isOwnFault(task))
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
