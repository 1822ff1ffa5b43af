import { type AnswerPair, comparePredictions, findCompareProblems } from '../domain/compare-predictions.ts'
import { LongshoreError } from '../domain/errors.ts'
import { endOf, routeBetween, withRoute } from '../domain/service-move.ts'
import type { Moving } from './move-context.ts'
import { collectRequests, type PredictBody } from './move-requests.ts'

/** Asks the target until it has answered so often, and reads that off its own counts. Raises `gate`. */
export async function warmTarget(moving: Moving): Promise<void> {
  const { order, move, target, signal } = moving
  const requests = await collectRequests(moving)
  const before = (await target.find(move.target.service, signal))?.stats?.successes ?? 0
  for (let count = 0; count < order.warmUp; count++) {
    const { problem } = await target.predict(move.target.service, requests[count % requests.length]!, signal)
    if (problem !== undefined) {
      const what = `prediction ${count + 1} of ${order.warmUp} failed: ${problem}`
      throw refuse(moving, `does not get warm: ${what}`)
    }
  }
  const after = (await target.find(move.target.service, signal))?.stats?.successes
  // Before v0.12 servers count nothing.
  if (after !== undefined && after < before + order.warmUp) {
    throw refuse(moving, `has answered ${after - before} of ${order.warmUp} predictions by its own counts`)
  }
}

export type CompareReport = ReturnType<typeof comparePredictions> & { readonly requests: number }

/** Asks both services the same, and raises `gate` where the answers differ by more than the limits of the profile. */
export async function compareServices(moving: Moving): Promise<CompareReport> {
  const { order, context } = moving
  const requests = await collectRequests(moving)
  const before = await context.router.readTraffic(moving.signal)
  await setShadow(moving, order.compare.shadow)
  const pairs: AnswerPair[] = []
  try {
    for (const request of requests) {
      const pair = await askBoth(moving, request)
      if (pair) pairs.push(pair)
    }
  } finally {
    await setShadow(moving, 0)
  }
  const found = comparePredictions(pairs, order.compare)
  const after = await context.router.readTraffic(moving.signal)
  const problems = [
    ...findCompareProblems(found, order.compare),
    ...findShadowProblems(before.shadow, after.shadow, order.redirect.errorShare),
  ]
  const report = { ...found, requests: pairs.length }
  if (problems.length > 0) {
    throw refuse(moving, `does not answer as the source does: ${problems.join('; ')}`, { comparison: report })
  }
  return report
}

/** What the source itself refuses says nothing of the target. */
async function askBoth(
  { move, source, target, signal }: Moving,
  request: PredictBody,
): Promise<AnswerPair | undefined> {
  const expected = await source.predict(move.source.service, request, signal)
  if (expected.problem !== undefined) return undefined
  return { source: expected, target: await target.predict(move.target.service, request, signal) }
}

/** Copies of live requests go to the target meanwhile. */
async function setShadow({ context, move, order, signal }: Moving, sample: number): Promise<void> {
  if (order.compare.shadow === 0) return
  const route = {
    ...routeBetween(move, 0),
    ...(sample > 0 && { shadow: { ...endOf(move.target), sample } }),
  }
  await context.router.writeRoutes(
    withRoute(await context.router.readRoutes(signal), move.service, route),
    signal,
  )
}

function findShadowProblems(
  before: { readonly sent: number; readonly failed: number },
  after: { readonly sent: number; readonly failed: number },
  limit: number,
): string[] {
  const [sent, failed] = [after.sent - before.sent, after.failed - before.failed]
  return failed > limit * sent && failed > 0 ? [`${failed} of ${sent} copied requests failed`] : []
}

function refuse({ move }: Moving, problem: string, answer: Record<string, unknown> = {}): LongshoreError {
  const { service, url } = move.target
  return new LongshoreError('gate', `${service} at ${url} ${problem}`, {
    hint: 'see the log of the target; what differs on purpose is allowed by `compare` of the move in the profile',
    answer,
  })
}
