import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { renderNpyHeader } from '../../../lib/adapters/files/npy.ts'
import { openInput } from '../../../lib/adapters/inputs/open-input.ts'
import { computeDigest, expectedPaths, MANIFEST_FORMAT, type Manifest } from '../../../lib/domain/manifest.ts'
import { fixturePath, readExpected, readWhole } from '../../support/inputs.ts'
import { makeTempDir } from '../../support/temp.ts'

const { texts, rows } = readExpected()
/** Ids of clusters need not be the numbers of their rows. */
const CLUSTERS = [
  { id: 4, items: 20 },
  { id: 0, items: 20 },
  { id: 7, items: 20 },
]

function writeGeneration(): string {
  const directory = join(makeTempDir(), 'dg_1')
  for (const [shard, { id }] of CLUSTERS.entries()) {
    const path = join(directory, `clust_${id}`)
    mkdirSync(path, { recursive: true })
    const mine = rows.slice(shard * 20, shard * 20 + 20)
    const bytes = Buffer.concat(mine.map((row) => Buffer.from(row.buffer)))
    writeFileSync(join(path, 'vectors.npy'), Buffer.concat([renderNpyHeader('<f4', [20, 8]), bytes]))
    const items = texts.slice(shard * 20, shard * 20 + 20).map((text, row) => ({ id: `${id}-${row}`, text }))
    writeFileSync(join(path, 'items.jsonl'), items.map((item) => `${JSON.stringify(item)}\n`).join(''))
    writeFileSync(join(path, 'items.idx'), Buffer.alloc(160))
  }
  cpSync(fixturePath('split/clust_centers.npy'), join(directory, 'centroids.npy'))
  writeFileSync(join(directory, 'golden.json'), '{}')
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify(createManifest(directory)))
  return directory
}

function createManifest(directory: string): Manifest {
  const files = expectedPaths(CLUSTERS).map((path) => ({
    path,
    bytes: statSync(join(directory, path)).size,
    sha256: createHash('sha256')
      .update(readFileSync(join(directory, path)))
      .digest('hex'),
  }))
  const manifest = {
    format: MANIFEST_FORMAT,
    generation: 'dg_1',
    parent: null,
    model: { name: 'm', version: '1', dimensions: 8, metric: 'cosine', normalized: false, fingerprint: 'f' },
    clusters: CLUSTERS,
    routing: { nprobe: 1, recallTarget: 0.9, measured: [] },
    quality: {},
    createdAt: '2024-01-01T00:00:00.000Z',
    source: { kind: 'test', files: [], settings: '' },
    files,
  } as const
  return { ...manifest, digest: computeDigest(manifest) }
}

test('gives the rows of a generation with its clusters and centroids', async () => {
  const input = await openInput(writeGeneration())
  assert.is(input.kind, 'generation')
  assert.is(input.rows, 60)
  assert.equal(input.clusters!.ids, [4, 0, 7])
  assert.equal(
    [...input.clusters!.centroids],
    rows.slice(0, 3).flatMap((row) => [...row]),
  )
  const { items, vectors, clusters } = await readWhole(input)
  assert.equal(
    vectors,
    rows.map((row) => [...row]),
  )
  assert.equal(items[20], { id: '0-0', text: texts[20] })
  assert.equal(
    clusters,
    rows.map((_, row) => Math.floor(row / 20)),
  )
})

test('refuses a generation whose items and vectors are out of step', async () => {
  const directory = writeGeneration()
  writeFileSync(join(directory, 'clust_7', 'items.jsonl'), '{"id":"a"}\n')
  const error = await openInput(directory)
    .then((input) => readWhole(input))
    .then(
      () => assert.unreachable(),
      (failure: Error & { kind: string }) => failure,
    )
  assert.is(error?.kind, 'corrupt')
  assert.match(error!.message, /clust_7\/items\.jsonl: has 1 items, but .* has 20 vectors/)
})

test.run()
