import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeTempDir } from '../../support/temp.ts'
import { type Bundle, makeBundle } from './bundle.ts'
import { peerOf, type RelayProcess, startRelay } from './relay-process.ts'

const SIZES = {
  'centroids.npy': 700,
  'golden.json': 0,
  'clust_0/vectors.npy': 300_000,
  'clust_0/items.jsonl': 65_536,
  'clust_0/items.idx': 0,
}

async function assertBrought(directory: string, { files, contents }: Bundle): Promise<void> {
  const partial = join(directory, '.dg_7.partial')
  for (const [file, { path }] of files.entries()) {
    assert.equal(await readFile(join(partial, path)), contents[file], path)
  }
  const names = (await readdir(partial, { recursive: true })).sort()
  assert.equal(names, [...files.map(({ path }) => path), 'clust_0'].sort())
}

/** The files that a relay has told to be whole, from its start on. */
function wholeOf({ reports }: RelayProcess): number[] {
  return reports
    .flatMap((report) =>
      report.told === 'ready' ? report.whole : report.told === 'whole' ? [report.file] : [],
    )
    .sort()
}

test('brings a generation to several nodes, every piece sent once, the rest passed on between them', async () => {
  const bundle = makeBundle(SIZES, 16_384)
  const directories = [makeTempDir(), makeTempDir(), makeTempDir()]
  const relays = directories.map(startRelay)
  const ready = await Promise.all(relays.map((relay) => relay.begin(bundle)))
  assert.equal(ready[0], { told: 'ready', port: ready[0]!.port, pieces: [], whole: [1, 4] })

  for (const piece of bundle.pieces.keys()) relays[piece % 3]!.put(bundle, piece)
  const share = Math.floor(bundle.pieces.length / 3)
  await Promise.all(relays.map((relay) => relay.hear('have', share)))
  for (const piece of bundle.pieces.keys()) {
    for (const [node, relay] of relays.entries()) {
      if (node !== piece % 3) relay.fetch(bundle, piece, peerOf(ready[piece % 3]!))
    }
  }
  await Promise.all(relays.map((relay) => relay.hear('whole', 3)))
  for (const [node, relay] of relays.entries()) {
    assert.equal(wholeOf(relay), [0, 1, 2, 3, 4])
    assert.is((await relay.hear('have')).length, bundle.pieces.length)
    relay.order({ do: 'end' })
    assert.equal(await relay.ended(), { code: 0, stderr: '' })
    await assertBrought(directories[node]!, bundle)
  }
})

test('puts parts together in their order, whatever comes between, and tells how much it got', async () => {
  const bundle = makeBundle({ 'clust_0/items.idx': 1000 }, 400)
  const directory = makeTempDir()
  const relay = startRelay(directory)
  await relay.begin(bundle)
  const put = (piece: number, offset: number, end?: number) => {
    const order = { do: 'put', piece, sha256: bundle.sums[piece]!, offset } as const
    relay.order(order, bundle.bytesOf(piece).subarray(offset, end))
  }
  put(0, 0, 150)
  put(1, 0, 300)
  put(0, 150, 350)
  put(2, 0)
  put(2, 100)
  put(1, 300)
  put(0, 350)
  await relay.hear('whole')
  await relay.hear('got', 7)
  // What goes on from nothing is told as got, so that the command sends on, and is no piece.
  assert.is((await relay.hear('got')).at(-1)!.bytes, 1000 + 100)
  assert.equal(
    (await relay.hear('have')).map(({ piece }) => piece),
    [2, 1, 0],
  )
  relay.order({ do: 'end' })
  assert.is((await relay.ended()).code, 0)
  await assertBrought(directory, bundle)
})

test('passes pieces on while it receives, and of files that are whole already', async () => {
  const bundle = makeBundle(SIZES, 16_384)
  const [first, second] = [makeTempDir(), makeTempDir()].map(startRelay)
  const [ready] = await Promise.all([first!.begin(bundle), second!.begin(bundle)])
  for (const piece of bundle.pieces.keys()) {
    first!.put(bundle, piece)
    await first!.hear('have', piece + 1)
    second!.fetch(bundle, piece, peerOf(ready))
  }
  await second!.hear('whole', 3)
  for (const relay of [first!, second!]) relay.child.stdin!.end()
  await Promise.all([first!.ended(), second!.ended()])
})

test('tells a file that is whole already, and asks for nothing of it', async () => {
  const bundle = makeBundle({ 'centroids.npy': 700, 'golden.json': 900 }, 512)
  const directory = makeTempDir()
  const relay = startRelay(directory)
  await relay.begin(bundle)
  for (const piece of bundle.pieces.keys()) relay.put(bundle, piece)
  await relay.hear('whole', 2)
  // The same order again: as an interrupted command gives it when it starts anew.
  assert.equal((await relay.begin(bundle)).whole, [0, 1])
  await writeFile(join(directory, '.dg_7.partial/golden.json'), Buffer.alloc(900))
  const again = await relay.begin(bundle)
  assert.equal([again.whole, again.pieces], [[0], []])
  relay.order({ do: 'end' })
  assert.is((await relay.ended()).code, 0)
})

test('answers an order for a piece that is here at once', async () => {
  const bundle = makeBundle({ 'centroids.npy': 700 }, 512)
  const relay = startRelay(makeTempDir())
  await relay.begin(bundle)
  relay.put(bundle, 0)
  await relay.hear('have')
  relay.put(bundle, 0)
  relay.fetch(bundle, 0, { host: '127.0.0.1', port: 1 })
  assert.equal(
    (await relay.hear('have', 3)).map(({ piece }) => piece),
    [0, 0, 0],
  )
  relay.order({ do: 'end' })
  assert.is((await relay.ended()).code, 0)
})

test('tells nothing more of a bringing that another one has taken the place of', async () => {
  const bundle = makeBundle({ 'centroids.npy': 70_000 }, 512)
  const relay = startRelay(makeTempDir())
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  await relay.begin(bundle)
  const peer = { host: '127.0.0.1', port: (silent.address() as AddressInfo).port }
  for (const piece of bundle.pieces.keys()) relay.fetch(bundle, piece, peer)
  const other = makeBundle({ 'centroids.npy': 900 }, 512)
  await relay.begin(other)
  for (const piece of [0, 1]) relay.put(other, piece)
  await relay.hear('whole')
  assert.equal(
    relay.reports.map(({ told }) => told).filter((told) => told !== 'got'),
    ['ready', 'ready', 'have', 'have', 'whole'],
  )
  relay.order({ do: 'end' })
  assert.is((await relay.ended()).code, 0)
  silent.close()
})

test('throws a file away whose pieces are right, but which is not what it must be, and brings it anew', async () => {
  const bundle = makeBundle({ 'centroids.npy': 700, 'golden.json': 900 }, 512)
  const relay = startRelay(makeTempDir())
  const { sha256: other } = makeBundle({ 'centroids.npy': 700 }, 512).files[0]!
  await relay.begin(bundle, { files: [{ ...bundle.files[0]!, sha256: other }, bundle.files[1]!] })
  for (const piece of [0, 1]) relay.put(bundle, piece)
  const [wrong] = await relay.hear('wrong')
  assert.equal(wrong, { told: 'wrong', file: 0, sha256: bundle.files[0]!.sha256 })
  // Its pieces are gone, so they are written again, and the file is found wrong again.
  for (const piece of [0, 1]) relay.put(bundle, piece)
  await relay.hear('wrong', 2)
  for (const piece of [2, 3]) relay.put(bundle, piece)
  assert.equal(
    (await relay.hear('whole')).map(({ file }) => file),
    [1],
  )
  relay.order({ do: 'end' })
  assert.is((await relay.ended()).code, 0)
})

test.run()
