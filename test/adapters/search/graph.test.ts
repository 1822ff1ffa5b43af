import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { searchExact } from '../../../lib/adapters/search/exact.ts'
import { buildGraph, openGraph } from '../../../lib/adapters/search/graph.ts'
import { METRICS } from '../../../lib/domain/model.ts'
import { raised } from '../../support/raised.ts'
import { clusteredRows } from '../../support/rows.ts'
import { makeTempDir } from '../../support/temp.ts'

const dimensions = 32
const items = 5000
const all = clusteredRows(items + 20, { dimensions })
const vectors = all.slice(20 * dimensions)
const queries = all.slice(0, 20 * dimensions)
const fresh = () => join(makeTempDir(), 'index.usearch')

test('finds nearly what exact search finds under every metric, with exactly its scores', () => {
  for (const metric of METRICS) {
    const path = fresh()
    buildGraph(vectors, { dimensions, metric }, path)
    const graph = openGraph(path, { dimensions, metric, items })
    const exact = searchExact(vectors, queries, { dimensions, metric, k: 10 })
    const found = graph.search(vectors, queries, { k: 10, expansion: 128 })
    assert.is(found.perQuery, 10)
    let hits = 0
    for (let at = 0; at < 200; at++) {
      const first = Math.floor(at / 10) * 10
      const rank = exact.rows.subarray(first, first + 10).indexOf(found.rows[at]!)
      if (rank < 0) continue
      hits++
      assert.is(found.scores[at], exact.scores[first + rank])
    }
    assert.ok(hits / 200 >= 0.98, `${metric}: recall ${hits / 200}`)
    graph.close()
    assert.throws(() => graph.search(vectors, queries, { k: 10, expansion: 128 }), /is closed/)
  }
})

test('writes the same bytes for the same rows', () => {
  const [first, second] = [fresh(), fresh()]
  for (const path of [first, second]) buildGraph(vectors, { dimensions, metric: 'dot' }, path)
  assert.ok(readFileSync(first).equals(readFileSync(second)))
})

test('gives as many hits as there are rows, also where parts of the graph cannot be reached', () => {
  // Hundreds of equal rows only link to each other.
  const same = new Float32Array(2000 * dimensions)
  for (let row = 0; row < 2000; row++) same[row * dimensions + (row < 1900 ? 0 : 1)] = 1
  const path = fresh()
  buildGraph(same, { dimensions, metric: 'l2' }, path)
  const graph = openGraph(path, { dimensions, metric: 'l2', items: 2000 })
  const query = same.subarray(1950 * dimensions, 1951 * dimensions)
  const found = graph.search(same, query, { k: 2000, expansion: 1 })
  assert.is(found.perQuery, 2000)
  assert.is(new Set(found.rows).size, 2000)
  assert.equal(found, searchExact(same, query, { dimensions, metric: 'l2', k: 2000 }))
})

test('finds nothing in a graph of nothing', () => {
  const path = fresh()
  buildGraph(new Float32Array(0), { dimensions, metric: 'dot' }, path)
  assert.ok(statSync(path).size > 0)
  const graph = openGraph(path, { dimensions, metric: 'dot', items: 0 })
  assert.is(graph.search(new Float32Array(0), queries, { k: 10, expansion: 20 }).rows.length, 0)
})

test('refuses a file that is not the graph it expects', async () => {
  const path = fresh()
  buildGraph(vectors, { dimensions, metric: 'dot' }, path)
  const bytes = readFileSync(path)
  const shape = { dimensions, metric: 'dot', items } as const
  const open = (expected: Parameters<typeof openGraph>[1] = shape) =>
    raised('corrupt', (async () => openGraph(path, expected))())
  await open({ ...shape, items: items + 1 })
  await open({ ...shape, dimensions: dimensions + 1 })
  assert.match((await open({ ...shape, metric: 'l2' })).message, /metric i, expected e/)
  for (const length of [bytes.length - 1, Math.floor(bytes.length / 2), 200, 3, 0]) {
    truncateSync(path, length)
    await open()
  }
  writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(8)]))
  await open()
  const head = 8 + items * dimensions * 2
  // Magic, type of numbers, dimensions, count of nodes, links, first node, a level.
  for (const at of [head, head + 14, head + 33, head + 64, head + 72, head + 64 + 39, head + 104 + 1]) {
    const damaged = Buffer.from(bytes)
    damaged[at]! ^= 0x7f
    writeFileSync(path, damaged)
    await open()
  }
  writeFileSync(path, bytes)
  openGraph(path, shape).close()
})

test.run()
