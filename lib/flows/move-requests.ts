import { setTimeout as wait } from 'node:timers/promises'
import { LongshoreError, messageOf } from '../domain/errors.ts'
import type { Moving } from './move-context.ts'

export type PredictBody = Readonly<Record<string, unknown>>

const POLL_MS = 500

/**
 * Requests to compare with: those of the profile's file, or the last ones that the router has passed on. Raises `gate` where there are
 * none within the time that the profile gives, `usage` for a file that holds none.
 */
export async function collectRequests(moving: Moving): Promise<readonly PredictBody[]> {
  const { context, order, move, signal } = moving
  const { requests, count, waitSeconds } = order.compare
  if (requests !== undefined) {
    return parseRequests(await context.inputs.readText(requests), requests).slice(0, count)
  }
  const end = context.now() + 1000 * waitSeconds
  for (;;) {
    const recent = await context.router.readRecent(move.service, signal)
    if (recent.length >= count || (recent.length > 0 && context.now() >= end)) return recent.slice(-count)
    if (context.now() >= end) break
    await wait(POLL_MS, undefined, { signal })
  }
  throw new LongshoreError(
    'gate',
    `no request for ${move.service} has passed the router within ${waitSeconds} s: there is nothing to compare with`,
    { hint: 'let clients ask the router, or name a file of requests in compare.requests of the move' },
  )
}

/** Bodies of /predict, one a line; or as `GET /v1/recent` tells them, with the body in a member. */
function parseRequests(text: string, path: string): PredictBody[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) throw new LongshoreError('usage', `${path} holds no requests`)
  return lines.map((line, at) => {
    try {
      const value = JSON.parse(line) as PredictBody
      const body = value.body ?? value
      if (typeof body === 'object' && body !== null && 'data' in body) return body as PredictBody
    } catch (error) {
      throw new LongshoreError('usage', `${path}:${at + 1}: no JSON: ${messageOf(error)}`, { cause: error })
    }
    throw new LongshoreError('usage', `${path}:${at + 1}: expected the body of a /predict, with "data"`)
  })
}
