import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { FileEntry } from '../../lib/domain/manifest.ts'
import { planWays } from '../../lib/domain/row-delta-plan.ts'
import { makeModel } from '../support/generation.ts'

const file = (path: string, sha256: string): FileEntry => ({ path, bytes: 1, sha256 })
const search = { kind: 'exact-i8', scale: 2, candidates: 20, recall: 1 } as const

test('copies what the base has under any name, derives what can be, and makes sources before what is derived', () => {
  const manifest = {
    model: makeModel(8),
    clusters: [{ id: 3, items: 5, search }],
    files: [
      file('clust_3/index.i8.npy', 'a'),
      file('clust_3/items.idx', 'b'),
      file('centroids.npy', 'c'),
      file('golden.json', 'd'),
      file('clust_3/items.jsonl', 'e'),
      file('clust_3/vectors.npy', 'f'),
    ],
  }
  const base = { files: [file('clust_0/index.usearch', 'x'), file('clust_1/items.jsonl', 'e')] }
  const codes = { kind: 'codes', from: 'clust_3/vectors.npy', scale: 2, items: 5, dimensions: 8 }
  assert.equal(planWays(manifest, base), [
    { way: 'copy', file: 4, base: 1 },
    { way: 'rows', file: 5 },
    { way: 'lines', file: 3 },
    { way: 'bytes', file: 2 },
    { way: 'derived', file: 0, derivation: codes },
    { way: 'derived', file: 1, derivation: { kind: 'offsets', from: 'clust_3/items.jsonl' } },
  ])
})

test('sends graphs as they are', () => {
  const hnsw = { kind: 'hnsw', expansion: 64, recall: 1 } as const
  const manifest = {
    model: makeModel(8),
    clusters: [{ id: 0, items: 5, search: hnsw }],
    files: [file('clust_0/index.usearch', 'g')],
  }
  assert.equal(planWays(manifest, { files: [] }), [{ way: 'bytes', file: 0 }])
})

test.run()
