import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createAdmission } from '../../services/http/admission.ts'

/** A backend that answers `workers` requests at a time, `serviceMs` each, in the order in which they came. */
type Backend = { readonly workers: number; readonly serviceMs: number }
type Phase = { readonly seconds: number; readonly perSecond: number; readonly cached?: number }
type Seen = { asked: number; refused: number; inTime: number; times: number[]; lastLate: number }

const MOST = 256
const TARGET_MS = 500
const DEADLINE_MS = 5_000

/** What clients of a gateway before such a backend see, phase by phase; time is simulated. */
function simulate({ workers, serviceMs }: Backend, phases: readonly Phase[]): Seen[] {
  let time = 0
  const admission = createAdmission({ most: MOST, targetMs: TARGET_MS, now: () => time })
  const freeAt = Array.from({ length: workers }, () => 0)
  const underWay: { begun: number; ends: number; seen: Seen; start: number }[] = []
  const finish = (until: number) => {
    underWay.sort((a, b) => a.ends - b.ends)
    for (let next = underWay[0]; next && next.ends <= until; next = underWay[0]) {
      underWay.shift()
      time = next.ends
      const tookMs = time - next.begun
      admission.end({ tookMs, isAnswered: tookMs <= DEADLINE_MS })
      next.seen.times.push(tookMs)
      if (tookMs <= DEADLINE_MS) next.seen.inTime++
      if (tookMs > TARGET_MS) next.seen.lastLate = time - next.start
    }
    time = until
  }
  return phases.map(({ seconds, perSecond, cached = 0 }) => {
    const seen: Seen = { asked: 0, refused: 0, inTime: 0, times: [], lastLate: 0 }
    const start = time
    for (; seen.asked < seconds * perSecond; seen.asked++) {
      finish(start + (1000 * seen.asked) / perSecond)
      const isCached = (seen.asked % 100) / 100 < cached
      if (!admission.begin()) {
        seen.refused++
        seen.lastLate = time - start
      } else if (isCached) underWay.push({ begun: time, ends: time + 1, seen, start })
      else {
        const worker = freeAt.indexOf(Math.min(...freeAt))
        freeAt[worker] = Math.max(freeAt[worker]!, time) + serviceMs
        underWay.push({ begun: time, ends: freeAt[worker]!, seen, start })
      }
    }
    return seen
  })
}

const quantile = (times: readonly number[], share: number) =>
  times.toSorted((a, b) => a - b)[Math.ceil(share * times.length) - 1]!

const BACKENDS: readonly Backend[] = [
  { workers: 1, serviceMs: 50 },
  { workers: 2, serviceMs: 20 },
  { workers: 2, serviceMs: 2 },
  { workers: 16, serviceMs: 100 },
  { workers: 4, serviceMs: 1 },
]

for (const backend of BACKENDS) {
  const { workers, serviceMs } = backend
  const perSecond = (1000 * workers) / serviceMs
  const seconds = Math.min(60, 6000 / perSecond + 3)
  test(`keeps answering ${perSecond} a second in time while ten times as many ask, and recovers at once`, () => {
    const [before, over, after] = simulate(backend, [
      { seconds: 5, perSecond: 0.8 * perSecond },
      { seconds, perSecond: 10 * perSecond },
      { seconds: 5, perSecond: 0.5 * perSecond },
    ])
    assert.is(before!.refused, 0)
    assert.ok(over!.inTime >= 0.95 * seconds * perSecond, `${over!.inTime / seconds} a second`)
    const bound = Math.max(TARGET_MS, (16 * 1000) / perSecond)
    const late = quantile(over!.times.slice(over!.times.length / 10), 0.99)
    assert.ok(late <= 1.5 * bound, `p99 ${late} ms`)
    assert.ok(after!.lastLate < 2000, `recovered after ${after!.lastLate} ms`)
  })
}

test('refuses nothing while a backend that is fast enough answers bursts', () => {
  const [seen] = simulate({ workers: 64, serviceMs: 30 }, [{ seconds: 5, perSecond: 1500 }])
  assert.is(seen!.refused, 0)
})

test('is not deceived by answers from a cache, which have not waited', () => {
  const [seen] = simulate({ workers: 2, serviceMs: 25 }, [{ seconds: 10, perSecond: 2000, cached: 0.6 }])
  const late = quantile(seen!.times, 0.99)
  assert.ok(late <= 1.5 * TARGET_MS, `p99 ${late} ms`)
})

test('never lets in more than the limit, nor fewer than its least', () => {
  let time = 0
  const admission = createAdmission({ most: 40, targetMs: 500, now: () => time })
  let begun = 0
  while (admission.begin()) begun++
  assert.is(begun, 40)
  for (let count = 0; count < 20; count++) {
    time += 4000
    admission.end({ tookMs: 4000, isAnswered: true })
    admission.begin()
  }
  assert.is(admission.limit(), 16)
  const few = createAdmission({ most: 1, targetMs: 500, now: () => time })
  assert.equal([few.begin(), few.begin()], [true, false])
})

test('stops letting requests in while none is answered', () => {
  let time = 0
  const admission = createAdmission({ most: 256, targetMs: 500, now: () => time })
  for (let count = 0; count < 64; count++) admission.begin()
  for (let count = 0; count < 16; count++) {
    time += 5
    admission.end({ tookMs: 100, isAnswered: true })
  }
  assert.ok(admission.begin())
  time += 2000
  for (let count = 0; count < 8; count++) admission.end({ tookMs: 2000, isAnswered: false })
  assert.not.ok(admission.begin())
})

test.run()
