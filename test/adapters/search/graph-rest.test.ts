import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildGraph, type Graph, openGraph } from '../../../lib/adapters/search/graph.ts'
import { clusteredRows } from '../../support/rows.ts'
import { makeTempDir } from '../../support/temp.ts'

const MIB = 2 ** 20
const [dimensions, items] = [8, 70_000]
const shape = { dimensions, metric: 'dot', items } as const
/** Of the hash table alone: 16 bytes in each of twice as many places as the next power of two. */
const LEAST_TABLES = 2 ** 18 * 16
const vectors = clusteredRows(items, { dimensions })
const path = join(makeTempDir(), 'index.usearch')
buildGraph(vectors, shape, path)

const search = (graph: Graph) =>
  graph.search(vectors, vectors.subarray(0, 50 * dimensions), { k: 10, expansion: 64 })
const readAnonymous = () =>
  Number(/^Anonymous:\s+(\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))![1]) * 1024

test('gives the memory of its tables back when it rests, again and again, and finds the same afterwards', async () => {
  const graph = openGraph(path, shape)
  const before = search(graph)
  await graph.rest()
  const resting = readAnonymous()
  for (let round = 0; round < 3; round++) {
    if (round > 0) graph.prepare()
    assert.equal(search(graph), before)
    const taken = readAnonymous() - resting
    assert.ok(taken > LEAST_TABLES / 2, `${taken / MIB} MiB for its tables`)
    await graph.rest()
    const left = readAnonymous() - resting
    assert.ok(left < LEAST_TABLES / 2, `${left / MIB} MiB left after round ${round}`)
  }
  graph.close()
  assert.throws(() => search(graph), /is closed/)
})

test('searches the bytes that it has checked, also when others have their name after a rest', async () => {
  const graph = openGraph(path, shape)
  const before = search(graph)
  await graph.rest()
  const bytes = readFileSync(path)
  rmSync(path)
  assert.equal(search(graph), before)
  await graph.rest()
  writeFileSync(path, Buffer.alloc(bytes.length, 0xff))
  assert.equal(search(graph), before)
  graph.close()
})

test.run()
