import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seedRows } from '../../../bench/delta/row-generation.ts'
import { PATCH_FORMAT, WAY_CODES } from '../../../lib/adapters/delta/patch-format.ts'
import { PatchWriter } from '../../../lib/adapters/delta/patch-writer.ts'
import { raised } from '../../support/raised.ts'
import { makeTempDir } from '../../support/temp.ts'
import { apply, assertWhole, listFiles, make, makeWorld, type World } from './rebuilding.ts'

const numbers = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index)
const FROM = [seedRows(numbers(0, 300)), seedRows(numbers(300, 300))]
const TO = FROM.map((rows) =>
  rows.map((row, index) => (index % 10 === 3 ? { ...row, vector: -row.vector } : row)),
)

async function makePatched(search: 'exact' | 'exact-i8' = 'exact'): Promise<World> {
  const world = makeWorld(FROM, TO, { search })
  assert.ok(await make(world))
  return world
}

/** Replaces the patch by one with this body, sealed as it must be. */
async function forge(world: World, ...body: (number | Uint8Array)[]): Promise<void> {
  rmSync(world.target, { force: true })
  const header = { format: PATCH_FORMAT, base: world.base.digest, generation: world.manifest.digest } as const
  const writer = new PatchWriter(world.target, header)
  for (const part of body) {
    if (typeof part === 'number') writer.number(part)
    else writer.bytes(part)
  }
  await writer.finish()
}

const position = (world: World, path: string) => world.manifest.files.findIndex((file) => file.path === path)

test('reports what a damaged base spoils, and leaves no wrong file under a final name', async () => {
  const world = await makePatched('exact-i8')
  flipBit(join(world.baseDirectory, 'clust_1/vectors.npy'), 5000)
  const reports = await apply(world)
  const wrong = reports.filter(({ problem }) => problem !== null).map(({ path }) => path)
  assert.equal(wrong, ['clust_1/vectors.npy', 'clust_1/index.i8.npy'])
  assert.match(`${reports.find(({ path }) => path === wrong[0])!.problem}`, /came out with sha-256/)
  const right = world.manifest.files.map(({ path }) => path).filter((path) => !wrong.includes(path))
  assert.equal(listFiles(world.partial), right.sort())
})

test('reports what a base lacks, has cut off or has as a link, and makes the rest', async () => {
  const world = await makePatched()
  rmSync(join(world.baseDirectory, 'clust_0/vectors.npy'))
  truncateSync(join(world.baseDirectory, 'clust_1/vectors.npy'), 3000)
  const items = join(world.baseDirectory, 'clust_1/items.jsonl')
  writeFileSync(join(world.baseDirectory, 'elsewhere'), readFileSync(items))
  rmSync(items)
  symlinkSync('../elsewhere', items)
  const reports = await apply(world)
  const problems = new Map(reports.map(({ path, problem }) => [path, problem]))
  assert.match(`${problems.get('clust_0/vectors.npy')}`, /ENOENT/)
  assert.match(`${problems.get('clust_1/vectors.npy')}`, /ends at 3000 bytes/)
  assert.match(`${problems.get('clust_1/items.jsonl')}`, /ELOOP/)
  assert.is(problems.get('clust_0/items.jsonl'), null)
})

test('keeps what is whole already, and makes what is there otherwise again', async () => {
  const world = await makePatched()
  mkdirSync(join(world.partial, 'clust_0'))
  const vectors = readFileSync(join(world.directory, 'clust_0/vectors.npy'))
  writeFileSync(join(world.partial, 'clust_0/vectors.npy'), vectors)
  writeFileSync(join(world.partial, 'clust_0/items.jsonl'), 'torn')
  writeFileSync(join(world.partial, 'clust_0/items.jsonl.rebuild'), 'of a killed run')
  const { ino } = statSync(join(world.partial, 'clust_0/vectors.npy'))
  rmSync(join(world.baseDirectory, 'clust_0/vectors.npy'))
  assertWhole(world, await apply(world))
  assert.is(statSync(join(world.partial, 'clust_0/vectors.npy')).ino, ino)
})

test('refuses a patch that is cut off at any place', async () => {
  const world = await makePatched()
  const { size } = statSync(world.target)
  for (const bytes of [size - 1, size - 33, size >> 1, 200, 20, 0]) {
    truncateSync(world.target, bytes)
    await raised('corrupt', apply(world))
  }
  assert.equal(listFiles(world.partial), [])
})

test('refuses a patch with a byte changed anywhere', async () => {
  const world = await makePatched()
  const whole = readFileSync(world.target)
  for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 40)) {
    const damaged = Buffer.from(whole)
    damaged[at]! ^= 1
    writeFileSync(world.target, damaged)
    await raised('corrupt', apply(world))
  }
  assert.equal(listFiles(world.partial), [])
})

test('refuses a patch between other generations', async () => {
  const world = await makePatched()
  const other = makeWorld(FROM, FROM)
  const foreign = { ...world, baseDirectory: join(other.directory) }
  assert.match((await raised('corrupt', apply(foreign))).message, /starts from sha256:/)
  const elsewhere = { ...world, manifest: other.manifest }
  assert.match((await raised('corrupt', apply(elsewhere))).message, /makes sha256:/)
  rmSync(join(world.baseDirectory, 'manifest.json'))
  assert.match((await raised('corrupt', apply(world))).message, /manifest\.json: cannot be read/)
})

test('refuses what is no patch at all', async () => {
  const world = await makePatched()
  for (const text of ['x'.repeat(5000), 'null\n'.repeat(50), '{"format":"longshore-patch/2"}\n'.repeat(4)]) {
    writeFileSync(world.target, text)
    await raised('corrupt', apply(world))
  }
})

test('refuses numbers that lie, before it writes or reserves anything for them', async () => {
  const world = await makePatched()
  const vectors = position(world, 'clust_0/vectors.npy')
  const { bytes } = world.manifest.files[vectors]!
  const centroids = position(world, 'centroids.npy')
  const huge = 2 ** 48
  const lies: [RegExp, (number | Uint8Array)[]][] = [
    [/tells of file 99/, [99, WAY_CODES.bytes]],
    [/unknown way \(9\)/, [vectors, 9]],
    [/not as long/, [vectors, WAY_CODES.copy, centroids]],
    [/not as long/, [vectors, WAY_CODES.copy, huge]],
    [/rows of 0 bytes/, [vectors, WAY_CODES.rows, 0, 0]],
    [/rows of 281474976710656 bytes/, [vectors, WAY_CODES.rows, huge, 0]],
    [/after 5000/, [vectors, WAY_CODES.rows, 64, 5000]],
    [/run of 0 bytes/, [vectors, WAY_CODES.rows, 1, 0, 1]],
    [/run of \d+ bytes where/, [vectors, WAY_CODES.rows, 1, 0, huge]],
    [/copies bytes/, [vectors, WAY_CODES.rows, 1, 0, 2 * bytes + 1, centroids, 0]],
    [/copies bytes -1 to/, [vectors, WAY_CODES.rows, 1, 0, 3, vectors, 1]],
    [/of file 99, which has 0/, [vectors, WAY_CODES.rows, 1, 0, 3, 99, 0]],
    [/ends too early/, [vectors, WAY_CODES.rows, 1, 0, 2 * bytes, new Uint8Array(10)]],
    [/ends too early/, [vectors]],
    [/nothing can be derived/, [vectors, WAY_CODES.derived]],
    [/before clust_0\/items.jsonl/, [position(world, 'clust_0/items.idx'), WAY_CODES.derived]],
    [/number that is too large/, [new Uint8Array(12).fill(255)]],
    [/says nothing of/, [centroids, WAY_CODES.copy, centroids]],
    [/centroids.npy twice/, [centroids, WAY_CODES.copy, centroids, centroids, WAY_CODES.copy, centroids]],
  ]
  for (const [message, body] of lies) {
    await forge(world, ...body)
    assert.match((await raised('corrupt', apply(world))).message, message)
  }
  assert.equal(listFiles(world.partial), ['centroids.npy'])
})

test('refuses blocks that lie about their size', async () => {
  const world = await makePatched()
  for (const [bytes, stored] of [
    [0xffff_ffff, 10],
    [10, 20],
    [0, 0],
    [100, 10],
  ] as const) {
    await forge(world)
    const body = Buffer.alloc(8 + stored)
    body.writeUInt32LE(bytes, 0)
    body.writeUInt32LE(stored, 4)
    seal(world, body)
    await raised('corrupt', apply(world))
  }
})

/** Appends raw bytes to the header of a patch, and the SHA-256 of all of it. */
function seal(world: World, body: Buffer): void {
  const header = readFileSync(world.target).subarray(0, -32)
  const text = Buffer.concat([header, body])
  writeFileSync(world.target, Buffer.concat([text, createHash('sha256').update(text).digest()]))
}

test('writes nothing through a link that stands where a shard goes', async () => {
  const world = await makePatched()
  const outside = makeTempDir()
  symlinkSync(outside, join(world.partial, 'clust_0'))
  assert.match((await raised('corrupt', apply(world))).message, /clust_0: is no directory/)
  assert.equal(listFiles(outside), [])
})

test('leaves no file that is not whole when it is given up half way, and goes on from there', async () => {
  const from = [seedRows(numbers(0, 3000)), seedRows(numbers(3000, 3000))]
  const world = makeWorld(
    from,
    from.map((rows) => rows.slice(1)),
    { dimensions: 512 },
  )
  assert.ok(await make(world))
  const given = new AbortController()
  let turns = 0
  const signal = Object.create(given.signal, {
    throwIfAborted: {
      value: () => {
        if (++turns === 12) given.abort(new Error('given up'))
        given.signal.throwIfAborted()
      },
    },
  }) as AbortSignal
  const error = await apply(world, signal).then(
    () => undefined,
    (reason: Error) => reason,
  )
  assert.is(error?.message, 'given up')
  const left = listFiles(world.partial)
  assert.ok(left.length < world.manifest.files.length)
  for (const path of left) {
    assert.ok(readFileSync(join(world.partial, path)).equals(readFileSync(join(world.directory, path))), path)
  }
  assertWhole(world, await apply(world))
})

test('reports a file that was damaged when the patch was made', async () => {
  const to = FROM.map((rows) => rows.map((row) => (row.line % 10 === 3 ? { ...row, line: -row.line } : row)))
  const world = makeWorld(FROM, to)
  const path = join(world.directory, 'clust_0/items.jsonl')
  flipBit(path, 20)
  assert.ok(await make(world))
  const reports = await apply(world)
  const wrong = reports.filter(({ problem }) => problem !== null).map((report) => report.path)
  assert.equal(wrong, ['clust_0/items.jsonl', 'clust_0/items.idx'])
})

function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at]! ^= 1
  writeFileSync(path, bytes)
}

test.run()
