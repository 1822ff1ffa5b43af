import { readdirSync } from 'node:fs'
import fastify from 'fastify'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openInput } from '../../../lib/adapters/inputs/open-input.ts'
import { createShardSource } from '../../../lib/adapters/shards/source.ts'
import type { Manifest } from '../../../lib/domain/manifest.ts'
import type { ShardSource } from '../../../lib/ports/shard-source.ts'
import { addExportRoutes } from '../../../services/index/export.ts'
import { startDeadAddress } from '../../support/dead-address.ts'
import { findFreePort } from '../../support/free-port.ts'
import { makeGeneration } from '../../support/generation.ts'
import { readWhole } from '../../support/inputs.ts'
import { raised } from '../../support/raised.ts'
import { makeTempDir } from '../../support/temp.ts'

const { signal } = new AbortController()
const carried = { signal, onBytes: () => undefined }
const root = makeTempDir()
const stops: (() => Promise<unknown>)[] = []
let manifest: Manifest
let older: Manifest

test.before(async () => {
  manifest = await makeGeneration(root, { name: 'dg_7', texts: listTexts('seven') })
  older = await makeGeneration(root, { name: 'dg_6', texts: listTexts('six') })
})
test.after(async () => {
  for (const stop of stops) await stop()
})

type Faults = {
  readonly manifests?: readonly Manifest[]
  /** Ends the service once it has given so many pages. */
  readonly pages?: number
  readonly change?: (payload: string, url: string) => string
}

/** An index service of one cluster, its answers changed; its address. */
async function serve(cluster: number, faults: Faults = {}): Promise<string> {
  const { manifests = [manifest], pages = Number.POSITIVE_INFINITY, change } = faults
  const app = fastify({ forceCloseConnections: true })
  let given = 0
  addExportRoutes(app, { dataDirectory: root, cluster, manifests })
  app.get('/v1/status', async () => ({
    generations: manifests.map(({ generation, digest }) => ({ name: generation, digest })),
  }))
  app.addHook('onRequest', async (request) => {
    if (request.url.includes('/items') && ++given > pages) request.raw.socket.destroy()
  })
  app.addHook('onSend', async (request, _reply, payload) =>
    change ? change(String(payload), request.url) : payload,
  )
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  stops.push(() => app.close())
  return url
}

/** A source over shards by their addresses; small pages, and little patience. */
function open(
  from: readonly (readonly string[])[],
  to: readonly (readonly string[])[] = [],
): ShardSource & { directory: string } {
  const name = (side: string) => (addresses: readonly string[], index: number) => ({
    where: `shards.yml: ${side}.${index}`,
    addresses,
  })
  const directory = makeTempDir()
  const file = { from: from.map(name('from')), to: to.map(name('to')), notes: [] }
  const source = createShardSource(
    { ...file, connectMs: 300, overallMs: 2_000, workers: 2, pageRows: 5 },
    directory,
  )
  stops.push(() => source.close())
  return Object.assign(source, { directory })
}

function listTexts(word: string): string[] {
  return Array.from({ length: 60 }, (_, index) => `${word} ships leave pier ${index} with cargo ${index * 7}`)
}

const serveAll = (faults?: Faults) =>
  Promise.all([0, 1, 2].map(async (cluster) => [await serve(cluster, faults)]))

test('reads every item of a fleet once, in the order of its shards', async () => {
  const source = open(await serveAll())
  const gallery = await source.describe(undefined, signal)
  assert.equal(
    [gallery.generation, gallery.digest, gallery.emben_model, gallery.emben_size, gallery.objects],
    ['dg_7', manifest.digest, 'lexical-hash', 64, 60],
  )
  let bytes = 0
  const place = await source.fetch(gallery, {
    signal,
    onBytes: (more) => {
      bytes += more
    },
  })
  const { items } = await readWhole(await openInput(place))
  assert.equal(items.map(({ text }) => text).sort(), listTexts('seven').sort())
  assert.is(
    bytes,
    gallery.shards.reduce((sum, shard) => sum + shard.bytes, 0),
  )
  assert.equal(readdirSync(place).sort(), ['clust_0.jsonl', 'clust_1.jsonl', 'clust_2.jsonl', 'shards.json'])
})

test('goes on with a slave where the master is dead, never answers, or ends between two pages', async () => {
  const dead = await startDeadAddress()
  stops.push(() => dead.stop())
  const refusing = `http://127.0.0.1:${await findFreePort()}`
  const source = open([
    [refusing, await serve(0)],
    [dead.url, await serve(1)],
    [await serve(2, { pages: 1 }), await serve(2)],
  ])
  const gallery = await source.describe(undefined, signal)
  const { items } = await readWhole(await openInput(await source.fetch(gallery, carried)))
  assert.equal(items.map(({ text }) => text).sort(), listTexts('seven').sort())
})

test('names the shard of which nobody answers, and what each address did', async () => {
  const refusing = `http://127.0.0.1:${await findFreePort()}`
  const source = open([[await serve(0)], [refusing], [await serve(2)]])
  const error = await raised('remote', source.describe('dg_7', signal))
  assert.match(
    error.message,
    `shards.yml: from.1: neither master nor slaves answer: ${refusing}: cannot reach`,
  )
})

test('refuses shards whose counts or digests differ, and a slave that holds another generation', async () => {
  const fewer = (payload: string, url: string) =>
    url.endsWith('/dg_7')
      ? payload.replace(/"objects":(\d+)/, (_, count) => `"objects":${count - 1}`)
      : payload
  const counted = open([[await serve(0)], [await serve(1, { change: fewer })], [await serve(2)]])
  assert.match(
    (await raised('corrupt', counted.describe('dg_7', signal))).message,
    'hold 59 objects together, dg_7 has 60',
  )
  const other = { ...older, generation: 'dg_7' }
  const mixed = open([[await serve(0)], [await serve(1, { manifests: [other] })], [await serve(2)]])
  assert.match(
    (await raised('corrupt', mixed.describe('dg_7', signal))).message,
    /from\.1: holds dg_7 as sha256/,
  )
  const slave = open([
    [await serve(0)],
    [await serve(1)],
    [await serve(2, { pages: 1 }), await serve(2, { manifests: [other] })],
  ])
  const gallery = await slave.describe('dg_7', signal)
  assert.match((await raised('remote', slave.fetch(gallery, carried))).message, /holds sha256:.*, expected/)
})

test('refuses shards that are missing or named twice, and asks which of several generations is meant', async () => {
  const two = open([[await serve(0)], [await serve(1)]])
  assert.match(
    (await raised('usage', two.describe('dg_7', signal))).message,
    '2 shards are named, dg_7 has 3',
  )
  const twice = open([[await serve(0)], [await serve(0)], [await serve(2)]])
  assert.match((await raised('usage', twice.describe('dg_7', signal))).message, 'serves cluster 0, as')
  const both = open(await serveAll({ manifests: [older, manifest] }))
  const error = await raised('usage', both.describe(undefined, signal))
  assert.match(error.message, 'hold dg_6 and dg_7')
  assert.is((await both.describe('dg_6', signal)).digest, older.digest)
})

test('keeps nothing of a shard whose lines are not those of its manifest, and reads only that again', async () => {
  const spoil = (payload: string, url: string) =>
    url.includes('from=5') ? payload.replace('pier', 'beer') : payload
  const sound = [[await serve(0)], [await serve(1)]]
  const source = open([...sound, [await serve(2, { change: spoil })]])
  const gallery = await source.describe(undefined, signal)
  const error = await raised('corrupt', source.fetch(gallery, carried))
  assert.match(error.message, /from\.2: the items of cluster 2 of dg_7 have the SHA-256/)
  const [place = ''] = readdirSync(source.directory)
  assert.equal(readdirSync(`${source.directory}/${place}`).sort(), ['clust_0.jsonl', 'clust_1.jsonl'])
})

test('tells what the shards of the other side hold', async () => {
  const source = open([], await serveAll())
  assert.is((await source.observe('dg_7', signal))?.objects, 60)
  assert.is(await open([]).observe('dg_7', signal), undefined)
})

test.run()
