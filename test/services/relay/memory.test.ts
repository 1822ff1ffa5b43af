import { createHash, hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { listPieces } from '../../../lib/domain/pieces.ts'
import { eventually } from '../../support/eventually.ts'
import { makeTempDir } from '../../support/temp.ts'
import type { Bundle } from './bundle.ts'
import { peerOf, type RelayProcess, startRelay } from './relay-process.ts'

const PIECE_BYTES = 256 * 1024
const COUNT = 1000
const AT_ONCE = 100
const LIMIT_MIB = 150

/** More bytes than a relay may take of memory, all zero. */
function makeLargeBundle(): Bundle {
  const zeros = Buffer.alloc(PIECE_BYTES)
  const whole = createHash('sha256')
  for (let piece = 0; piece < COUNT; piece++) whole.update(zeros)
  const files = [{ path: 'clust_0/vectors.npy', bytes: COUNT * PIECE_BYTES, sha256: whole.digest('hex') }]
  return {
    generation: 'dg_7',
    files,
    contents: [],
    pieceBytes: PIECE_BYTES,
    pieces: listPieces(files, PIECE_BYTES),
    sums: Array(COUNT).fill(hash('sha256', zeros)),
    bytesOf: () => zeros,
  }
}

/** The most memory that a process has had so far. MiB */
function readPeak({ child }: RelayProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024
}

test('holds no more in memory than a few pieces, whatever the size of what it brings and passes on', async () => {
  const bundle = makeLargeBundle()
  const [from, to] = [makeTempDir(), makeTempDir()]
  const whole = join(from, '.dg_7.partial/clust_0/vectors.npy')
  await mkdir(join(whole, '..'), { recursive: true })
  await writeFile(whole, '')
  await truncate(whole, bundle.files[0]!.bytes)
  const [source, sink] = [startRelay(from), startRelay(to)]
  const [{ port }] = await Promise.all([source.begin(bundle), sink.begin(bundle)])
  for (let piece = 0; piece < COUNT; piece++) {
    await eventually(() => assert.ok(piece - (sink.reports.length - 1) < AT_ONCE), 30_000)
    sink.fetch(bundle, piece, peerOf({ port }))
  }
  await sink.hear('whole')
  for (const relay of [source, sink]) {
    assert.ok(readPeak(relay) < LIMIT_MIB, `${readPeak(relay)} MiB`)
    relay.order({ do: 'end' })
    assert.is((await relay.ended()).code, 0)
  }
})

test.run()
