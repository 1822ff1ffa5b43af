import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { InFlightWindow } from '../../lib/domain/in-flight-window.ts'

type Server = {
  /** Requests that it works on at a time, others wait. */
  readonly lanes: number
  readonly serviceMs: number
  /** Requests that it takes at all. */
  readonly most?: number
}

/** Lets a server work for some time under a window: what it did in the second half, and the windows that were seen. */
function simulate(
  window: InFlightWindow,
  { lanes, serviceMs, most = Number.POSITIVE_INFINITY }: Server,
  lastsMs: number,
) {
  let now = 0
  let done = 0
  const refusals: number[] = []
  const sizes: number[] = []
  /** When each lane is free again; requests that are under way by their end. */
  const free = Array.from({ length: lanes }, () => 0)
  let busy: { readonly begunAt: number; readonly endsAt: number; readonly inFlight: number }[] = []
  while (now < lastsMs) {
    while (busy.length < window.size) {
      if (busy.length >= most) {
        refusals.push(now)
        window.overloaded(now, now)
        break
      }
      const lane = free.indexOf(Math.min(...free))
      free[lane] = Math.max(free[lane]!, now) + serviceMs
      busy.push({ begunAt: now, endsAt: free[lane]!, inFlight: busy.length + 1 })
    }
    now = Math.min(...busy.map(({ endsAt }) => endsAt))
    const ended = busy.filter(({ endsAt }) => endsAt <= now)
    busy = busy.filter(({ endsAt }) => endsAt > now)
    for (const { begunAt, inFlight } of ended) window.succeeded({ items: 64, inFlight, begunAt, now })
    sizes.push(window.size)
    if (now > lastsMs / 2) done += ended.length
  }
  return { refusals, sizes, share: (done * serviceMs) / (lanes * (lastsMs / 2)) }
}

test('keeps every lane of a server busy, and does not queue many times as much', () => {
  const servers = fc.record({
    lanes: fc.integer({ min: 1, max: 32 }),
    serviceMs: fc.integer({ min: 20, max: 2_000 }),
  })
  fc.assert(
    fc.property(servers, (server) => {
      const window = new InFlightWindow({ most: 64 })
      const { share } = simulate(window, server, 80 * Math.max(250, 3 * server.serviceMs))
      assert.ok(share > 0.95, `${share} of ${JSON.stringify(server)}`)
      assert.ok(window.size <= Math.max(8, 2 * server.lanes + 2), `${window.size} for ${server.lanes} lanes`)
    }),
    { numRuns: 30 },
  )
})

test('stays most of the time below what a server refuses', () => {
  const window = new InFlightWindow({ most: 64 })
  const { refusals, share } = simulate(window, { lanes: 16, serviceMs: 50, most: 10 }, 120_000)
  assert.ok(refusals.length < 30, `${refusals.length} refusals`)
  assert.ok(share > 0.35, `${share} of 10 / 16`)
})

test('halves once for requests that were refused together', () => {
  const window = new InFlightWindow({ most: 32, isFixed: true })
  for (let request = 0; request < 32; request++) window.overloaded(5, 10 + request)
  assert.is(window.size, 16)
  window.overloaded(50, 60)
  assert.is(window.size, 8)
})

test('never goes below one, nor above what is asked', () => {
  const window = new InFlightWindow({ most: 3 })
  assert.is(window.size, 3)
  for (let at = 0; at < 10; at++) window.overloaded(at, at)
  assert.is(window.size, 1)
  assert.ok(
    simulate(window, { lanes: 30, serviceMs: 20 }, 60_000).sizes.every((size) => size >= 1 && size <= 3),
  )
})

test.run()
