import { type Finding, fail, orOk, warn } from './finding.ts'
import { parseList } from './swarm-inspect.ts'

export type Timing = {
  readonly deadlineSeconds: number
  readonly healthSeconds: number
  readonly monitorSeconds: number
  readonly lameDuckSeconds: number
  /** The most tasks that one service shall have. */
  readonly replicas: number
}

/** How long tasks of a service took from being created until they were ready, in seconds; the quickest of them. */
export type StartTime = { readonly service: string; readonly seconds: number; readonly replicas: number }

/** Looks that find a task ill one after the other, until it counts as such. */
const RETRIES = 3
/** What the Swarm waits after a task has left its name and before it asks it to end. */
const LEAVE_SECONDS = 2

/** Findings on waits that are over before what they wait for can have happened. */
export function examineTiming(timing: Timing, starts: readonly StartTime[]): Finding[] {
  const { deadlineSeconds, healthSeconds, replicas } = timing
  // A task is looked at for the first time when one interval has passed.
  const floor = { service: 'a service', seconds: healthSeconds, replicas }
  return orOk(
    [
      ...(starts.length > 0 ? starts : [floor]).flatMap((start) => examineDeadline(start, timing)),
      ...examineMonitor(timing),
    ],
    'timing',
    `services start within update.deadlineSeconds (${deadlineSeconds} s)`,
  )
}

export type TaskTimes = {
  readonly serviceId: string
  readonly state: string
  readonly createdAt: string
  /** When it came into its state. */
  readonly stateAt: string
}

/** What `docker inspect --type task` prints. Raises `remote` when it is something else. */
export function parseTaskTimes(text: string): TaskTimes[] {
  return parseList<RawTask>(text, 'docker inspect').map(({ ServiceID, CreatedAt, Status }) => ({
    serviceId: ServiceID,
    state: Status.State,
    createdAt: CreatedAt,
    stateAt: Status.Timestamp,
  }))
}

/** The quickest: others may have waited for a place. Tasks that are not ready say nothing. */
export function findStartTime(service: string, tasks: readonly TaskTimes[]): StartTime[] {
  const times = tasks
    .filter(({ state }) => state === 'running')
    .map(({ createdAt, stateAt }) => (Date.parse(stateAt) - Date.parse(createdAt)) / 1000)
  return times.length === 0 ? [] : [{ service, seconds: Math.min(...times), replicas: times.length }]
}

type RawTask = {
  readonly ServiceID: string
  readonly CreatedAt: string
  readonly Status: { readonly State: string; readonly Timestamp: string }
}

/** Tasks are replaced one after the other; then the last one is watched, and its predecessor leaves. */
function examineDeadline({ service, seconds, replicas }: StartTime, timing: Timing): Finding[] {
  const { deadlineSeconds, monitorSeconds, lameDuckSeconds } = timing
  const needed = Math.ceil(replicas * seconds + Math.max(monitorSeconds, lameDuckSeconds + LEAVE_SECONDS))
  const what = `${replicas} tasks of ${service}, each ready after ${seconds.toFixed(1)} s or later, need ${needed} s to be replaced`
  const detail = `${what}; update.deadlineSeconds is ${deadlineSeconds}`
  const hint = `set update.deadlineSeconds to ${2 * needed} or more`
  if (needed > deadlineSeconds) return [fail('timing', detail, hint)]
  return []
}

function examineMonitor({ monitorSeconds, healthSeconds }: Timing): Finding[] {
  const needed = RETRIES * healthSeconds
  if (monitorSeconds >= needed) return []
  const detail = `the Swarm watches a new task for ${monitorSeconds} s (swarm.monitorSeconds), but finds it ill after ${needed} s at the earliest`
  return [
    warn('timing', detail, `set swarm.monitorSeconds to more than ${needed}, or lower swarm.healthSeconds`),
  ]
}
