import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { renderNpyHeader } from '../../../lib/adapters/files/npy.ts'
import { openShard } from '../../../lib/adapters/generations/served-shard.ts'
import { type Manifest, searchFile } from '../../../lib/domain/manifest.ts'
import type { ShardKind } from '../../../lib/domain/shard-search.ts'
import { makeGeneration } from '../../support/generation.ts'
import { raised } from '../../support/raised.ts'
import { makeTempDir } from '../../support/temp.ts'

const dimensions = 16
const KINDS: readonly ShardKind[] = ['exact', 'exact-i8', 'hnsw']

async function makeShard(search: ShardKind): Promise<{ directory: string; manifest: Manifest }> {
  const directory = makeTempDir()
  const manifest = await makeGeneration(directory, { dimensions, clusters: 2, search })
  return { directory: join(directory, manifest.generation), manifest }
}

const refuse = ({ directory, manifest }: Awaited<ReturnType<typeof makeShard>>) =>
  raised('corrupt', (async () => openShard(directory, manifest, 0).close())())

test('opens every kind, and gives exact search and items of all of them', async () => {
  for (const kind of KINDS) {
    const { directory, manifest } = await makeShard(kind)
    const shard = openShard(directory, manifest, 0)
    assert.is(shard.kind, kind)
    const query = shard.vectors.slice(5 * dimensions, 6 * dimensions)
    const all = shard.searchAll(query, 3)
    assert.is(all.rows[0], 5)
    assert.equal(shard.search(query, 3).rows, all.rows)
    assert.equal(shard.searchAmong(Uint32Array.from([1, 5, 7]), query, 9).rows[0], 5)
    assert.is(shard.searchAmong(Uint32Array.from([1, 7]), query, 9).rows.length, 2)
    assert.is(shard.searchAmong(new Uint32Array(0), query, 9).rows.length, 0)
    assert.type(shard.readItem(5).id, 'string')
    shard.close()
  }
})

test('gives as many hits of every kind as are asked for, however few candidates the manifest tells', async () => {
  for (const kind of KINDS) {
    const { directory, manifest } = await makeShard(kind)
    const { items } = manifest.clusters[0]!
    const shard = openShard(directory, manifest, 0)
    const query = shard.vectors.slice(0, dimensions)
    assert.is(shard.search(query, items).rows.length, items)
    assert.is(shard.search(query, 1000).perQuery, items)
    shard.close()
  }
})

test('needs nothing but the vectors when it is told to compare all', async () => {
  const { directory, manifest } = await makeShard('hnsw')
  rmSync(join(directory, searchFile(manifest.clusters[0]!)!))
  const shard = openShard(directory, manifest, 0, true)
  assert.is(shard.kind, 'exact')
  shard.close()
})

test('refuses a file that is missing, or shorter than the manifest says', async () => {
  for (const kind of ['exact-i8', 'hnsw'] as const) {
    const made = await makeShard(kind)
    const path = join(made.directory, searchFile(made.manifest.clusters[0]!)!)
    truncateSync(path, statSync(path).size - 1)
    assert.match((await refuse(made)).message, /bytes, expected/)
    rmSync(path)
    assert.match((await refuse(made)).message, /is missing/)
  }
})

test('refuses codes of another type or shape in as many bytes', async () => {
  const made = await makeShard('exact-i8')
  const entry = made.manifest.clusters[0]!
  const path = join(made.directory, searchFile(entry)!)
  const codes = readFileSync(path).subarray(128)
  const { items } = entry
  for (const [descr, shape] of [
    ['|u1', [items, dimensions]],
    ['|i1', [dimensions, items]],
  ] as const) {
    writeFileSync(path, Buffer.concat([renderNpyHeader(descr, shape), codes]))
    const { message } = await refuse(made)
    assert.match(message, `expected |i1 C [${items}, ${dimensions}]`)
  }
})

test('refuses a cluster that the generation does not have', async () => {
  const { directory, manifest } = await makeShard('exact')
  const error = await raised('corrupt', (async () => openShard(directory, manifest, 7).close())())
  assert.match(error.message, /has no cluster 7/)
})

test.run()
