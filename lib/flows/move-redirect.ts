import { setTimeout as wait } from 'node:timers/promises'
import { LongshoreError } from '../domain/errors.ts'
import { isEnd, routeBetween, withRoute } from '../domain/service-move.ts'
import type { BackendTraffic } from '../ports/traffic-router.ts'
import { withinTime } from './attempt.ts'
import type { Moving } from './move-context.ts'

const POLL_MS = 250
/** How long a router may be away: it is started anew, or its machine is busy. */
const ROUTER_MS = 60_000
/** How long a target may take to tell of its service, which no model is needed for. */
export const TARGET_MS = 20_000

/** The target is not fit for requests of clients: these go back to the source. */
export class TargetFailure extends Error {
  override readonly name = 'TargetFailure'
}

/** Gives the target its share, and watches what comes of it for as long as the profile says. Raises TargetFailure. */
export async function holdRedirect(moving: Moving, percent: number): Promise<void> {
  const { context, order, signal } = moving
  const before = await readTarget(moving)
  await writePercent(moving, percent)
  const end = context.now() + 1000 * order.redirect.holdSeconds
  const over = new AbortController()
  const until = AbortSignal.any([signal, over.signal])
  const watchTraffic = async () => {
    do {
      await wait(POLL_MS, undefined, { signal })
      checkTarget(moving, before, await readTarget(moving))
    } while (context.now() < end)
  }
  // A target that hangs keeps its own answer back, not what the router has seen of it.
  await Promise.race([watchTraffic(), probeService(moving, until)]).finally(() => over.abort())
}

/** A target that few requests reach is asked by the command itself, until it fails or `until` aborts. */
async function probeService({ move, target, signal }: Moving, until: AbortSignal): Promise<void> {
  const { service, url } = move.target
  for (;;) {
    const limits = { signal: until, limitMs: TARGET_MS }
    const found = await withinTime((limited) => target.find(service, limited), limits).catch(
      (error: unknown) => {
        signal.throwIfAborted()
        const isRemote = error instanceof LongshoreError && error.kind === 'remote'
        throw isRemote
          ? new TargetFailure(`${service} at ${url} does not answer: ${error.message}`, { cause: error })
          : error
      },
    )
    if (!found) throw new TargetFailure(`${url} has lost the service ${service}`)
    await wait(POLL_MS, undefined, { signal: until })
  }
}

/** Routes so many percent to the target; waits for a router that is being started anew. */
export async function writePercent(moving: Moving, percent: number): Promise<void> {
  const { context, move, signal } = moving
  await patiently(moving, async () => {
    const table = await context.router.readRoutes(signal)
    await context.router.writeRoutes(withRoute(table, move.service, routeBetween(move, percent)), signal)
  })
}

/** What the router has seen of the target; undefined before the first request. */
export async function readTarget(moving: Moving): Promise<BackendTraffic | undefined> {
  const { backends } = await patiently(moving, () => moving.context.router.readTraffic(moving.signal))
  return backends.find((one) => isEnd(one, moving.move.target))
}

function checkTarget(
  { move, order }: Moving,
  before: BackendTraffic | undefined,
  now: BackendTraffic | undefined,
): void {
  if (!now) return
  const { service, url } = move.target
  if (now.isOut) throw new TargetFailure(`${service} at ${url} does not answer any more`)
  // The counts of a router that was started anew begin again.
  const isAnew = before === undefined || before.answered > now.answered
  const failed = now.failed - (isAnew ? 0 : before.failed)
  const answered = now.answered - (isAnew ? 0 : before.answered)
  if (failed === 0 || failed <= order.redirect.errorShare * (failed + answered)) return
  throw new TargetFailure(`${service} at ${url} failed ${failed} of ${failed + answered} requests`)
}

async function patiently<T>({ context, signal }: Moving, work: () => Promise<T>): Promise<T> {
  const end = context.now() + ROUTER_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const isAway = error instanceof LongshoreError && error.kind === 'remote'
      if (!isAway || context.now() >= end) throw error
      await wait(POLL_MS, undefined, { signal })
    }
  }
}
