import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Thread } from '../../lib/adapters/generations/thread.ts'
import type { Manifest } from '../../lib/domain/manifest.ts'
import type { Question } from '../../services/index/search-queue.ts'
import type { SearchDone, SearchHandlers, SearchJob } from '../../services/index/search-worker.ts'
import { createSearcher, type Found } from '../../services/index/searcher.ts'

type Call = { readonly job: SearchJob; answer(): void; fail(error: Error): void }
type FakeThread = Pick<Thread<SearchHandlers>, 'call'> & { readonly calls: Call[] }

/** A thread that answers searches when it is told to, all else at once; the hits of a query are its only number. */
function fakeThread(): FakeThread {
  const calls: Call[] = []
  const call = async (name: string, job: SearchJob) => {
    if (name !== 'search') return undefined
    return await new Promise<SearchDone>((resolve, reject) => {
      const answer = () => {
        let query = 0
        const hits = job.parts.map(({ queries }) => {
          const lists = Array.from({ length: queries }, () => JSON.stringify([job.vectors[query++]]))
          return new TextEncoder().encode(lists.join(','))
        })
        resolve({ kind: 'exact', milliseconds: 1, hits })
      }
      calls.push({ job, answer, fail: reject })
    })
  }
  return { call: call as FakeThread['call'], calls }
}

const question = (numbers: readonly number[]): Question => ({
  generation: 'dg_1',
  vectors: Float32Array.from(numbers),
  queries: numbers.length,
  k: 1,
  signal: new AbortController().signal,
})
const read = ({ hits }: Found) => JSON.parse(Buffer.concat(hits).toString()) as number[][]
const open = async (threads: readonly FakeThread[]) => {
  const searcher = createSearcher(threads)
  const manifests = [{ generation: 'dg_1' } as Manifest]
  await searcher.open({ dataDirectory: '', cluster: 0, manifests, isExact: false })
  return searcher
}
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('gives every thread work, and answers each request with its own hits in the order of its queries', async () => {
  const threads = [fakeThread(), fakeThread()]
  const searcher = await open(threads)
  const batch = Array.from({ length: 60 }, (_, at) => at)
  const answers = [[100], batch, [101], [102, 103]].map((numbers) => searcher.search(question(numbers)))
  assert.ok(threads.every(({ calls }) => calls.length === 1))
  assert.ok(searcher.waiting() > 0)
  for (let turn = 0; searcher.waiting() > 0 || turn < 20; turn++) {
    const { calls } = threads[turn % 2]!
    calls[calls.length - 1]?.answer()
    await settle()
  }
  const found = await Promise.all(answers)
  assert.equal(
    found.map(read),
    [[100], batch, [101], [102, 103]].map((numbers) => numbers.map((number) => [number])),
  )
  assert.ok(found[1]!.searchMs >= 4, 'time of all passes')
  for (const { calls } of threads) {
    for (const { job } of calls) assert.ok(job.vectors.length <= 16)
  }
})

test('fails only the requests that were searched together when a search fails', async () => {
  const thread = fakeThread()
  const searcher = await open([thread])
  const first = searcher.search(question([1])).catch((error: Error) => error.message)
  const second = searcher.search(question([2]))
  thread.calls[0]!.fail(new Error('no such line'))
  assert.is(await first, 'no such line')
  await settle()
  thread.calls[1]!.answer()
  assert.equal(read(await second), [[2]])
})

test.run()
