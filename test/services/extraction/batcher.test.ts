import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createBatcher } from '../../../services/extraction/batcher.ts'

/** A run that ends when it is told to, and what it was given. */
function playRuns() {
  const runs: { jobs: readonly number[]; end(): void; fail(error: Error): void }[] = []
  const run = (jobs: readonly number[]) =>
    new Promise<number[]>((resolve, reject) => {
      runs.push({ jobs, end: () => resolve(jobs.map((job) => job * 10)), fail: reject })
    })
  return { runs, run }
}

const NEVER = 3_600_000

test('runs requests together as soon as they are worth it, and gives each its own outcomes', async () => {
  const { runs, run } = playRuns()
  const batcher = createBatcher({ run, most: 3, waitMs: NEVER, limit: 100 })
  const first = batcher.add([1])
  const second = batcher.add([2, 3])
  assert.equal(
    runs.map(({ jobs }) => jobs),
    [[1, 2, 3]],
  )
  assert.is(batcher.size(), 3)
  runs[0]!.end()
  assert.equal(await first, [10])
  assert.equal(await second, [20, 30])
})

test('runs a request alone after a while', async () => {
  const batcher = createBatcher({
    run: async (jobs: readonly number[]) => jobs,
    most: 3,
    waitMs: 1,
    limit: 9,
  })
  assert.equal(await batcher.add([1]), [1])
})

test('collects while a run lasts, and splits no request', async () => {
  const { runs, run } = playRuns()
  const batcher = createBatcher({ run, most: 3, waitMs: NEVER, limit: 100 })
  const all = [[1, 2, 3], [4, 5], [6, 7], [8]].map((jobs) => batcher.add(jobs))
  assert.is(runs.length, 1)
  runs[0]!.end()
  await all[0]
  await Promise.resolve()
  assert.equal(runs[1]?.jobs, [4, 5])
  runs[1]!.end()
  await all[1]
  await Promise.resolve()
  assert.equal(runs[2]?.jobs, [6, 7, 8])
  runs[2]!.end()
  assert.equal(await Promise.all(all), [[10, 20, 30], [40, 50], [60, 70], [80]])
})

test('takes no more than may wait', async () => {
  const { runs, run } = playRuns()
  const batcher = createBatcher({ run, most: 1, waitMs: NEVER, limit: 2 })
  assert.is(batcher.add([1, 2, 3]), undefined)
  const taken = batcher.add([1, 2])
  assert.is(batcher.add([3]), undefined)
  runs[0]!.end()
  await taken
  await Promise.resolve()
  assert.ok(batcher.add([3]))
})

test('goes on after a run that failed', async () => {
  const { runs, run } = playRuns()
  const batcher = createBatcher({ run, most: 1, waitMs: NEVER, limit: 9 })
  const failed = batcher.add([1])!
  const next = batcher.add([2])
  runs[0]!.fail(new Error('broken'))
  assert.is(await failed.catch((error: Error) => error.message), 'broken')
  await Promise.resolve()
  runs[1]!.end()
  assert.equal(await next, [20])
})

test.run()
