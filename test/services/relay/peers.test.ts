import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { openSync, writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Peer } from '../../../lib/adapters/relay/protocol.ts'
import { createConnectOptions } from '../../../services/relay/peer-tls.ts'
import { servePieces } from '../../../services/relay/serve-pieces.ts'
import { UploadLimit } from '../../../services/relay/upload-limit.ts'
import { eventually } from '../../support/eventually.ts'
import { makeTempDir } from '../../support/temp.ts'
import { makeBundle, SECRET } from './bundle.ts'
import { peerOf, type RelayProcess, startRelay } from './relay-process.ts'

const bundle = makeBundle({ 'clust_0/vectors.npy': 600_000 }, 65_536)
const relays: RelayProcess[] = []
const servers: { close(): unknown }[] = []

test.after(async () => {
  for (const { child } of relays) child.kill('SIGKILL')
  for (const server of servers) server.close()
})

async function startReady(directory = makeTempDir()) {
  const relay = startRelay(directory)
  relays.push(relay)
  return { relay, directory, peer: peerOf(await relay.begin(bundle)) }
}

/** A relay that has the whole bundle. */
async function startSource() {
  const source = await startReady()
  for (const piece of bundle.pieces.keys()) source.relay.put(bundle, piece)
  await source.relay.hear('whole')
  return source
}

/** Stands between a relay and another one, and changes or keeps back what goes to the one that fetches. */
async function startBetween(peer: Peer, pass: (chunk: Buffer, to: Socket) => void): Promise<Peer> {
  const server: Server = createServer((socket) => {
    const onward = connect(peer)
    socket.on('data', (chunk) => onward.write(chunk))
    onward.on('data', (chunk) => pass(chunk, socket))
    for (const [end, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      end.on('error', () => other.destroy())
      end.on('close', () => other.destroy())
    }
  }).listen(0)
  await once(server, 'listening')
  servers.push(server)
  return { host: '127.0.0.1', port: (server.address() as { port: number }).port }
}

test('writes nothing of a piece that was changed on the wire, and gets it once it comes unchanged', async () => {
  const [source, sink] = await Promise.all([startSource(), startReady()])
  let passed = 0
  const between = await startBetween(source.peer, (chunk, to) => {
    passed += chunk.length
    if (passed > 20_000) chunk[chunk.length - 1]! ^= 1
    to.write(chunk)
  })
  sink.relay.fetch(bundle, 0, between)
  const [failed] = await sink.relay.hear('failed')
  assert.equal([failed!.piece, failed!.from], [0, between])
  assert.equal(await readdir(join(sink.directory, '.dg_7.partial')), [])
  sink.relay.fetch(bundle, 0, source.peer)
  await sink.relay.hear('have')
})

test('refuses a piece whose contents are not what its sha-256 says, whoever it comes from', async () => {
  const { relay, directory } = await startReady()
  relay.order({ do: 'put', piece: 1, sha256: bundle.sums[1]!, offset: 0 }, bundle.bytesOf(2))
  const long = Buffer.concat([bundle.bytesOf(1), Buffer.alloc(1)])
  relay.order({ do: 'put', piece: 1, sha256: bundle.sums[1]!, offset: 0 }, long)
  const path = join(directory, 'lies')
  writeFileSync(path, randomBytes(65_536))
  const liar = await servePieces({
    secret: SECRET,
    port: 0,
    upload: new UploadLimit(null),
    openPiece: () => ({ descriptor: openSync(path, 'r'), offset: 0, bytes: 65_536 }),
  })
  servers.push(liar)
  relay.fetch(bundle, 1, peerOf(liar))
  const problems = (await relay.hear('failed', 3)).map(({ from, problem }) => [from, problem] as const)
  assert.match(problems[0]![1], `expected ${bundle.sums[1]}`)
  assert.match(problems[1]![1], 'has 65537 bytes, expected 65536')
  assert.equal(problems[2]![0], peerOf(liar))
  assert.match(problems[2]![1], `expected ${bundle.sums[1]}`)
  assert.equal(await readdir(join(directory, '.dg_7.partial')), [])
})

test('says that a piece is not there when it has not come yet', async () => {
  const [source, sink] = await Promise.all([startReady(), startReady()])
  sink.relay.fetch(bundle, 3, source.peer)
  const [failed] = await sink.relay.hear('failed')
  assert.equal(failed, { told: 'failed', piece: 3, from: source.peer, problem: 'it is not here' })
  source.relay.put(bundle, 3)
  await source.relay.hear('have')
  sink.relay.fetch(bundle, 3, source.peer)
  await sink.relay.hear('have')
})

test('gives nothing to who does not know the secret, and goes on serving who does', async () => {
  const source = await startSource()
  for (const secret of [randomBytes(32), Buffer.alloc(32)]) {
    const stranger = connectTls({ ...createConnectOptions(secret), ...source.peer })
    const heard: Buffer[] = []
    stranger.on('data', (chunk: Buffer) => heard.push(chunk))
    const [error] = (await once(stranger, 'error')) as [Error & { code: string }]
    assert.match(error.code, 'ALERT_BAD_RECORD_MAC')
    assert.equal(heard, [])
  }
  const other = startRelay(makeTempDir())
  relays.push(other)
  await other.begin(bundle, { secret: randomBytes(32).toString('base64') })
  other.fetch(bundle, 0, source.peer)
  await other.hear('failed')
  const plain = connect(source.peer)
  plain.end('GET / HTTP/1.1\r\n\r\n')
  plain.on('error', () => undefined)
  await once(plain.resume(), 'close')
  const sink = await startReady()
  sink.relay.fetch(bundle, 0, source.peer)
  await sink.relay.hear('have')
  assert.is(source.relay.child.exitCode, null)
})

test('ends the connections of strangers who say nothing', async () => {
  const source = await startSource()
  const strangers = Array.from({ length: 300 }, () => connect(source.peer))
  const ends = strangers.map((stranger) => {
    stranger.on('error', () => undefined)
    return once(stranger.resume(), 'close')
  })
  await Promise.all(ends)
  const sink = await startReady()
  sink.relay.fetch(bundle, 0, source.peer)
  await sink.relay.hear('have')
})

test('reports a peer that dies in the middle of a piece, and gets the piece from another one', async () => {
  const [first, second, sink] = await Promise.all([startSource(), startSource(), startReady()])
  let passed = 0
  const between = await startBetween(first.peer, (chunk, to) => {
    passed += chunk.length
    if (passed < 100_000) to.write(chunk)
    else first.relay.child.kill('SIGKILL')
  })
  for (const piece of [0, 1, 2, 3]) sink.relay.fetch(bundle, piece, between)
  const failed = await sink.relay.hear('failed', 3)
  for (const { piece } of failed) sink.relay.fetch(bundle, piece, second.peer)
  await sink.relay.hear('have', 4)
})

test('does not wait longer than the limit for a peer that falls silent in the middle of a piece', async () => {
  const [source, sink] = await Promise.all([startSource(), startReady()])
  let passed = 0
  const between = await startBetween(source.peer, (chunk, to) => {
    passed += chunk.length
    if (passed < 100_000) to.write(chunk)
  })
  for (const piece of [0, 1, 2]) sink.relay.fetch(bundle, piece, between)
  const failed = await sink.relay.hear('failed', 2)
  assert.match(failed[0]!.problem, 'nothing came for 5000 ms')
  for (const { piece } of failed) sink.relay.fetch(bundle, piece, source.peer)
  await sink.relay.hear('have', 3)
})

test('tells a piece once that was asked for at two peers, though one of them never answers', async () => {
  const [source, sink] = await Promise.all([startSource(), startReady()])
  const silent = await startBetween(source.peer, () => undefined)
  sink.relay.fetch(bundle, 4, silent)
  sink.relay.fetch(bundle, 4, source.peer)
  await sink.relay.hear('have')
  // Long enough for the silent one to be given up, with an order that is answered after it.
  sink.relay.fetch(bundle, 5, silent)
  const failed = await sink.relay.hear('failed')
  assert.equal(
    failed.map(({ piece }) => piece),
    [5],
  )
  assert.is((await sink.relay.hear('have')).length, 1)
})

test('sends no faster than it is told, until it is told otherwise', async () => {
  const [slow, fast, sink] = await Promise.all([startSource(), startSource(), startReady()])
  slow.relay.order({ do: 'limit', uploadRate: 8000 })
  sink.relay.fetch(bundle, 0, slow.peer)
  for (const piece of [1, 2, 3, 4, 5, 6, 7, 8]) sink.relay.fetch(bundle, piece, fast.peer)
  const first = await sink.relay.hear('have', 8)
  assert.not.ok(first.some(({ piece }) => piece === 0))
  slow.relay.order({ do: 'limit', uploadRate: null })
  await sink.relay.hear('have', 9)
})

test('reads the bytes it serves from the file, before and after that is whole', async () => {
  const [source, sink] = await Promise.all([startReady(), startReady()])
  source.relay.put(bundle, 0)
  await source.relay.hear('have')
  sink.relay.fetch(bundle, 0, source.peer)
  await sink.relay.hear('have')
  for (const piece of bundle.pieces.keys()) source.relay.put(bundle, piece)
  await source.relay.hear('whole')
  for (const piece of bundle.pieces.keys()) sink.relay.fetch(bundle, piece, source.peer)
  await sink.relay.hear('whole')
  const brought = join(sink.directory, '.dg_7.partial/clust_0/vectors.npy')
  assert.equal(await eventually(() => readFile(brought)), bundle.contents[0])
})

test.run()
