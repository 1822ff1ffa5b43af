import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { computeDigest, type Manifest, type ShardEntry } from '../../lib/domain/manifest.ts'
import { parseManifest } from '../../lib/domain/parse-manifest.ts'
import { makeManifest } from '../support/fakes/manifest.ts'

const QUANTISED = { kind: 'exact-i8', scale: 500.5, candidates: 40, recall: 0.999 } as const
const GRAPH = { kind: 'hnsw', expansion: 64, recall: 0.99 } as const

const withSearch = (search: unknown) =>
  makeManifest('dg_1', {
    clusters: [
      { id: 0, items: 10 },
      { id: 1, items: 10, search },
    ] as ShardEntry[],
  })

/** What is wrong with a manifest, which is signed whatever it says. */
function problemOf(manifest: Manifest): string {
  try {
    parseManifest(JSON.stringify({ ...manifest, digest: computeDigest(manifest) }), 'manifest.json')
  } catch (error) {
    if (error instanceof LongshoreError && error.kind === 'corrupt') return error.message
    throw error
  }
  return 'nothing'
}

test('reads a manifest that says nothing of searching, and its digest is what it was', () => {
  const manifest = makeManifest('dg_1')
  assert.equal(parseManifest(JSON.stringify(manifest), 'manifest.json'), manifest)
  assert.is(manifest.digest, 'sha256:7cb74b837ed86e3ffa4dbb1da7279b6980ac271aa31399b3fa41a89019a11634')
})

test('reads every kind of search, with the file that it needs', () => {
  for (const search of [{ kind: 'exact' }, QUANTISED, GRAPH]) {
    const manifest = withSearch(search)
    assert.equal(parseManifest(JSON.stringify(manifest), 'manifest.json').clusters[1]!.search, search)
  }
  const paths = (search: unknown) => withSearch(search).files.map(({ path }) => path)
  assert.ok(paths(QUANTISED).includes('clust_1/index.i8.npy'))
  assert.ok(paths(GRAPH).includes('clust_1/index.usearch'))
  assert.is(paths(GRAPH).length, paths({ kind: 'exact' }).length + 1)
})

const wrong: [what: string, search: unknown, problem: string][] = [
  ['no object', 'hnsw', 'clusters[1].search: expected an object'],
  ['null', null, 'clusters[1].search: expected an object'],
  [
    'an unknown kind',
    { kind: 'ivf' },
    'clusters[1].search.kind is "ivf", expected one of exact, exact-i8, hnsw',
  ],
  ['no kind', {}, 'clusters[1].search.kind is undefined, expected one of exact, exact-i8, hnsw'],
  ['no scale', { ...QUANTISED, scale: undefined }, 'clusters[1].search.scale: expected a positive number'],
  ['a scale of 0', { ...QUANTISED, scale: 0 }, 'clusters[1].search.scale: expected a positive number'],
  ['a text as scale', { ...QUANTISED, scale: '1' }, 'clusters[1].search.scale: expected a positive number'],
  [
    'half a candidate',
    { ...QUANTISED, candidates: 0.5 },
    'clusters[1].search.candidates: expected a positive integer',
  ],
  ['no expansion', { ...GRAPH, expansion: 0 }, 'clusters[1].search.expansion: expected a positive integer'],
  ['a recall above 1', { ...GRAPH, recall: 1.1 }, 'clusters[1].search.recall: expected a number from 0 to 1'],
]
for (const [what, search, problem] of wrong) {
  test(`calls a manifest corrupt that has ${what} where a kind of search stands, naming the key`, () => {
    const sound = makeManifest('dg_1')
    const clusters = [sound.clusters[0]!, { ...sound.clusters[1]!, search }] as ShardEntry[]
    assert.is(problemOf({ ...sound, clusters }), `manifest.json: ${problem}`)
  })
}

test('reads a threshold, and calls a manifest corrupt whose threshold is no number', () => {
  assert.is(problemOf({ ...makeManifest('dg_1'), threshold: -0.5 }), 'nothing')
  for (const threshold of ['0.5', null, [0]]) {
    const manifest = { ...makeManifest('dg_1'), threshold } as unknown as Manifest
    assert.is(problemOf(manifest), 'manifest.json: threshold: expected a number')
  }
})

test('calls a manifest corrupt whose shard has more copies than rows, or no number of them', () => {
  const sound = makeManifest('dg_1')
  for (const copies of [11, -1, 0.5, '1', null]) {
    const clusters = [sound.clusters[0]!, { id: 1, items: 10, copies }] as ShardEntry[]
    assert.is(problemOf({ ...sound, clusters }), 'manifest.json: clusters[1].copies: expected 0 to 10')
  }
  const clusters = [sound.clusters[0]!, { id: 1, items: 10, copies: 4 }]
  assert.is(problemOf({ ...sound, clusters }), 'nothing')
})

test('calls a manifest corrupt that lacks the file of a kind of search, or has one that no shard needs', () => {
  const graph = withSearch(GRAPH)
  const without = graph.files.filter(({ path }) => !path.endsWith('index.usearch'))
  assert.match(problemOf({ ...graph, files: without }), 'files: clust_1/index.usearch is missing')
  const exact = withSearch({ kind: 'exact' })
  assert.match(problemOf({ ...exact, files: graph.files }), 'clust_1/index.usearch" stands twice or belongs')
})

const BRIDGE = {
  model: { ...makeManifest('dg_1').model, name: 'other', fingerprint: 'other' },
  map: 'bridge.npy',
  kind: 'ridge',
  pairs: 2000,
  heldOut: 256,
  keptRecall: 0.95,
} as const

/** A manifest whose list of files has the map. */
function withBridge(bridge: unknown): Manifest {
  const { digest: _digest, ...manifest } = makeManifest('dg_1')
  const map = { path: 'bridge.npy', bytes: 1, sha256: '0'.repeat(64) }
  return { ...manifest, bridge, files: [...manifest.files, map], digest: '' } as Manifest
}

test('reads how queries of another model search a generation, and takes nothing less', () => {
  assert.is(problemOf(withBridge(BRIDGE)), 'nothing')
  const wrongs: [unknown, string][] = [
    [undefined, 'stands twice or belongs to no shard'],
    [
      { ...BRIDGE, model: { ...BRIDGE.model, dimensions: 0 } },
      'bridge.model.dimensions: expected a positive',
    ],
    [{ ...BRIDGE, map: '../bridge.npy' }, 'bridge.map: expected "bridge.npy"'],
    [{ ...BRIDGE, kind: 'cubic' }, 'bridge.kind: expected one of procrustes, ridge'],
    [{ ...BRIDGE, keptRecall: 2 }, 'bridge.keptRecall: expected a number from 0 to 1'],
  ]
  for (const [bridge, problem] of wrongs) assert.match(problemOf(withBridge(bridge)), problem)
  const { files, ...rest } = withBridge(BRIDGE)
  const without = files.filter(({ path }) => path !== 'bridge.npy')
  assert.match(problemOf({ ...rest, files: without }), 'files: bridge.npy is missing')
})

test.run()
