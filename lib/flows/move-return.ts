import { LongshoreError, messageOf } from '../domain/errors.ts'
import type { BackendTraffic } from '../ports/traffic-router.ts'
import { withinTime } from './attempt.ts'
import { changeMove, type Moving, readMove } from './move-context.ts'
import { readTarget, TARGET_MS, writePercent } from './move-redirect.ts'

/**
 * How long it took from the first request that the target failed, or else from when it was found out: until the router passed it by,
 * null where it never had to, and until it was out of the route.
 */
export type ReturnTimes = { readonly passedByMs: number | null; readonly returnedMs: number }

/**
 * Gives all requests back to the source, then deletes the target's service from memory; its files stay. Begun once, it is never gone
 * back on. Raises `stuck` where the router cannot be told.
 */
export async function returnTraffic(moving: Moving, reason: string): Promise<ReturnTimes> {
  const { context, session, order } = moving
  const begun = context.now()
  await changeMove(moving, (record) => ({ ...record, phase: 'returning', reason }))
  await session.log('move-return', `${order.name}: ${reason}`)
  const seen = await readTarget(moving).catch(ignoreRemote)
  await writePercent(moving, 0).catch((error: unknown) => raiseStuck(moving, error))
  const times = measure(seen, { begun, now: context.now() })
  if ((await readMove(moving))?.isOwn) await removeTarget(moving)
  await changeMove(moving, (record) => ({ ...record, phase: 'returned', passed: [], isOwn: false }))
  await session.log('move-returned', order.name)
  return times
}

/** A target that is dead keeps nothing in memory either. */
async function removeTarget({ context, move, target, signal }: Moving): Promise<void> {
  try {
    const limits = { signal, limitMs: TARGET_MS }
    await withinTime((limited) => target.remove(move.target.service, 'mem', limited), limits)
  } catch (error) {
    if (!(error instanceof LongshoreError) || error.kind !== 'remote') throw error
    context.reporter.note(`${move.target.service} could not be deleted: ${error.message}`)
  }
}

function measure(
  seen: BackendTraffic | undefined,
  { begun, now }: { readonly begun: number; readonly now: number },
): ReturnTimes {
  const { failingSince, outSince } = seen ?? { failingSince: null, outSince: null }
  const since = Math.min(failingSince ?? begun, begun)
  const passedByMs = failingSince === null || outSince === null ? null : outSince - failingSince
  return { passedByMs, returnedMs: now - since }
}

function ignoreRemote(error: unknown): undefined {
  if (error instanceof LongshoreError && error.kind === 'remote') return undefined
  throw error
}

function raiseStuck({ context, move }: Moving, error: unknown): never {
  context.signal.throwIfAborted()
  const where = `requests for ${move.service} are still divided between ${move.source.url} and ${move.target.url}`
  throw new LongshoreError('stuck', `the router cannot be told: ${messageOf(error)}; ${where}`, {
    hint: 'start the router, then run move-service.mjs --undo',
    cause: error,
  })
}
