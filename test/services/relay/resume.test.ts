import { once } from 'node:events'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../../support/eventually.ts'
import { makeTempDir } from '../../support/temp.ts'
import { makeBundle } from './bundle.ts'
import { startRelay } from './relay-process.ts'

const bundle = makeBundle({ 'clust_0/vectors.npy': 300_000, 'golden.json': 100_000 }, 16_384)

/** The pieces that a relay says it has, held against what they must be. */
function keepRight(pieces: readonly { readonly piece: number; readonly sha256: string }[]): number[] {
  return pieces.filter(({ piece, sha256 }) => bundle.sums[piece] === sha256).map(({ piece }) => piece)
}

/** A directory in which a relay was killed once it had these pieces. */
async function leaveKilled(pieces: readonly number[]): Promise<string> {
  const directory = makeTempDir()
  const relay = startRelay(directory)
  await relay.begin(bundle)
  for (const piece of pieces) relay.put(bundle, piece)
  await relay.hear('have', pieces.length)
  relay.child.kill('SIGKILL')
  await relay.ended()
  return directory
}

async function finish(directory: string): Promise<number> {
  const relay = startRelay(directory)
  const ready = await relay.begin(bundle)
  const here = new Set(keepRight(ready.pieces))
  const missing = [...bundle.pieces.keys()].filter(
    (piece) => !here.has(piece) && !ready.whole.includes(bundle.pieces[piece]!.file),
  )
  for (const piece of missing) relay.put(bundle, piece)
  await eventually(() => {
    const told = relay.reports.filter(({ told }) => told === 'whole').length
    assert.is(told + ready.whole.length, 2)
  })
  relay.order({ do: 'end' })
  assert.is((await relay.ended()).code, 0)
  for (const [file, { path }] of bundle.files.entries()) {
    assert.equal(await readFile(join(directory, '.dg_7.partial', path)), bundle.contents[file])
  }
  return missing.length
}

test('tells what is on the disk after it was killed, so that nothing is sent twice', async () => {
  const directory = await leaveKilled([0, 4, 17, 19, 20])
  const relay = startRelay(directory)
  assert.equal(keepRight((await relay.begin(bundle)).pieces), [0, 4, 17, 19, 20])
  relay.child.kill('SIGKILL')
  await relay.ended()
  assert.is(await finish(directory), bundle.pieces.length - 5)
})

test('ends at once when its orders end, and keeps what has come', async () => {
  const directory = makeTempDir()
  const relay = startRelay(directory)
  await relay.begin(bundle)
  for (const piece of [0, 1, 2]) relay.put(bundle, piece)
  await relay.hear('have', 3)
  relay.child.stdin!.end()
  assert.equal(await relay.ended(), { code: 0, stderr: '' })
  assert.is(await finish(directory), bundle.pieces.length - 3)
})

test('ends when the command dies in the middle of a piece', async () => {
  const relay = startRelay(makeTempDir())
  await relay.begin(bundle)
  relay.child.stdin!.write(Buffer.from([40, 0, 0, 0, 1, 2]))
  relay.child.stdin!.end()
  const { code, stderr } = await relay.ended()
  assert.is(code, 30)
  assert.match(stderr, 'ends within a message')
})

test('believes the disk, not the list of pieces: a damaged piece is told with what it is, and sent again', async () => {
  const directory = await leaveKilled([...bundle.pieces.keys()].filter((piece) => piece !== 7))
  const path = join(directory, '.dg_7.partial/clust_0/vectors.npy.pieces')
  const damaged = await readFile(path)
  damaged[16_384 * 3 + 5]! ^= 1
  await writeFile(path, damaged)
  assert.is(await finish(directory), 2)
})

test('waits for the damaged piece of a file of which every piece is noted', async () => {
  const directory = await leaveKilled([...bundle.pieces.keys()].filter((piece) => piece !== 18))
  const path = join(directory, '.dg_7.partial/clust_0/vectors.npy.pieces')
  await appendFile(`${path}.log`, '\n18')
  assert.is(await finish(directory), 1)
})

test('gives a file its name that had come whole when the relay was killed before it was read back', async () => {
  const directory = await leaveKilled([...bundle.pieces.keys()].filter((piece) => piece !== 18))
  const path = join(directory, '.dg_7.partial/clust_0/vectors.npy.pieces')
  const pieces = await readFile(path)
  bundle.bytesOf(18).copy(pieces, 18 * 16_384)
  await writeFile(path, pieces)
  await appendFile(`${path}.log`, '\n18')
  const relay = startRelay(directory)
  assert.equal((await relay.begin(bundle)).whole, [0, 1])
  relay.child.kill('SIGKILL')
  await once(relay.child, 'exit')
})

test('starts a file anew whose list is damaged, missing, or of pieces of another size', async () => {
  const changes: ((path: string) => Promise<void>)[] = [
    (path) => writeFile(`${path}.log`, 'longshore-pieces/1 300000 bytes, 8192 a piece\n0\n1'),
    (path) => writeFile(`${path}.log`, Buffer.from([0, 255, 10, 49])),
    (path) => writeFile(`${path}.log`, ''),
    (path) => writeFile(path, 'shorter'),
  ]
  for (const change of changes) {
    const directory = await leaveKilled([0, 1, 2])
    await change(join(directory, '.dg_7.partial/clust_0/vectors.npy.pieces'))
    assert.is(await finish(directory), bundle.pieces.length)
  }
})

test('goes on after a line of the list that was cut off', async () => {
  const directory = await leaveKilled([0, 1, 11])
  const log = join(directory, '.dg_7.partial/clust_0/vectors.npy.pieces.log')
  await writeFile(log, (await readFile(log, 'utf8')).slice(0, -1))
  const relay = startRelay(directory)
  await relay.begin(bundle)
  relay.put(bundle, 12)
  await relay.hear('have')
  relay.child.kill('SIGKILL')
  await relay.ended()
  assert.is(await finish(directory), bundle.pieces.length - 3)
})

test.run()
