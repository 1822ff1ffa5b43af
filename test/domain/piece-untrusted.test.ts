import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createPiecePlanner } from '../../lib/domain/piece-planner.ts'
import { CONTROL, type Fetch } from '../../lib/domain/piece-planner-types.ts'

const PIECES = 64

test('brings everything to nodes that nobody may rely on, while that lasts', () => {
  const planner = createPiecePlanner({ pieces: Array.from({ length: PIECES }, () => 1000) })
  const [first, second, third] = [0, 1, 2].map(() => planner.join([], 0)) as [number, number, number]
  let now = 0
  const work = (end: (fetch: Fetch) => void, rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      now += 0.5
      for (const fetch of planner.next(now)) end(fetch)
    }
  }
  // Fetches among nodes fail, until each of two sources has been blamed; then the third node is gone.
  const blamed = new Set<number>()
  work((fetch) => {
    if (fetch.from === CONTROL || fetch.from === third) planner.received(fetch, now)
    else {
      blamed.add(fetch.from)
      planner.failed(fetch, now, 'source')
    }
  }, 20)
  assert.equal([...blamed].sort(), [first, second])
  planner.leave(third, now)
  work((fetch) => planner.received(fetch, now), 400)
  assert.ok(now < 500, 'they are relied on again after half a second')
  assert.equal(
    [first, second].map((node) => planner.missing(node)),
    [0, 0],
  )
})

test.run()
