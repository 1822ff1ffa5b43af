import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseFilter } from '../../lib/domain/filter.ts'
import type { HttpError } from '../../services/http/http-error.ts'
import { createFilters } from '../../services/index/filters.ts'
import { makeGeneration } from '../support/generation.ts'
import { makeTempDir } from '../support/temp.ts'

const dataDirectory = makeTempDir()
const payload = (index: number) => ({ parity: index % 2 })
const makeFilters = async (limit: number) => {
  const manifest = await makeGeneration(dataDirectory, { dimensions: 16, clusters: 2, payload })
  return createFilters({ dataDirectory, cluster: 0, manifests: [manifest], limit })
}
const EVEN = parseFilter({ parity: 0 })

test('gives the same list in shared memory for the same filter', async () => {
  const filters = await makeFilters(1 << 20)
  const [first, second] = await Promise.all([filters.rowsOf('dg_1', EVEN), filters.rowsOf('dg_1', EVEN)])
  assert.is(first, second)
  assert.is(await filters.rowsOf('dg_1', parseFilter({ parity: 0 })), first)
  assert.ok(first.length > 0 && first.buffer instanceof SharedArrayBuffer)
  const both = await filters.rowsOf('dg_1', parseFilter({ parity: { in: [0, 1] } }))
  assert.ok(both.length > first.length)
})

test('holds only so many questions while a filter is looked up', async () => {
  const filters = await makeFilters(1 << 20)
  const answers = await Promise.allSettled(Array.from({ length: 300 }, () => filters.rowsOf('dg_1', EVEN)))
  const refused = answers.flatMap((answer) =>
    answer.status === 'rejected' ? [answer.reason as HttpError] : [],
  )
  assert.is(refused.length, 300 - 256)
  assert.ok(refused.every(({ status, code }) => status === 503 && code === 'overloaded'))
  assert.ok((await filters.rowsOf('dg_1', EVEN)).length > 0)
})

test('refuses a member that it cannot hold, each time, and filters by others', async () => {
  const filters = await makeFilters(2_000)
  for (let turn = 0; turn < 2; turn++) {
    const error: HttpError = await filters.rowsOf('dg_1', parseFilter({ text: 'a' })).then(
      () => assert.unreachable(),
      (reason) => reason,
    )
    assert.equal([error.status, error.code], [413, 'filter_too_large'])
  }
  assert.ok((await filters.rowsOf('dg_1', EVEN)).length > 0)
})

test.run()
