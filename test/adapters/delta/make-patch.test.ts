import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CASES, makeBase } from '../../../bench/delta/make-cases.ts'
import {
  LARGEST_ROW,
  makeRowGeneration,
  type SeededRow,
  seedRows,
} from '../../../bench/delta/row-generation.ts'
import { computeDigest, countBytes, MANIFEST_FILE, type Manifest } from '../../../lib/domain/manifest.ts'
import { createRandom } from '../../../lib/domain/random.ts'
import { writeFingerprint } from '../../../lib/domain/row-delta-fingerprint.ts'
import { flipByte } from '../../support/files.ts'
import { makeTempDir } from '../../support/temp.ts'
import { apply, assertWhole, listFiles, make, makeWorld } from './rebuilding.ts'

const numbers = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index)
const ROWS = [seedRows(numbers(0, 400)), seedRows(numbers(400, 400))]

/** Rows of which every `step`th is another. */
const change = (step: number) =>
  ROWS.map((rows) =>
    rows.map((row, index) =>
      index % step === 0 ? { vector: row.vector + 9000, line: row.line + 9000 } : row,
    ),
  )

/** Whatever can happen to rows between two generations, at random. */
function editRows(clusters: readonly (readonly SeededRow[])[], seed: number): SeededRow[][] {
  const random = createRandom(seed)
  const target: SeededRow[][] = Array.from({ length: 1 + Math.floor(random() * 4) }, () => [])
  for (const [cluster, rows] of clusters.entries()) {
    for (const row of rows) {
      const lot = random()
      const home = target[cluster % target.length]!
      if (lot < 0.1) continue
      if (lot < 0.15) home.push({ ...row, vector: 50_000 + row.vector })
      else if (lot < 0.2) home.push({ ...row, line: 50_000 + row.line })
      else if (lot < 0.25) home.push(row, row)
      else if (lot < 0.3) home.push(row, ...seedRows([70_000 + row.line]))
      else if (lot < 0.4) target[Math.floor(random() * target.length)]!.push(row)
      else home.push(row)
    }
  }
  if (seed % 3 === 0) target[0]!.reverse()
  if (seed % 4 === 0) target.push([])
  return target
}

test('rebuilds byte for byte whatever was inserted, deleted, changed, moved, doubled or reordered', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const from = [seedRows(numbers(0, 150)), seedRows(numbers(150, 90)), seedRows([])]
    const search = seed % 2 === 0 ? 'exact-i8' : 'exact'
    const world = makeWorld(from, editRows(from, seed), { search })
    assert.ok(await make(world), `${seed}`)
    assertWhole(world, await apply(world))
  }
})

test('finds the same rows when they are looked for in several windows', async () => {
  const from = [seedRows(numbers(0, 30_000)), seedRows(numbers(30_000, 9_000))]
  const to = [seedRows(numbers(20_000, 19_000)), seedRows([...numbers(0, 20_000), 77_777])]
  const world = makeWorld(from, to, { dimensions: 4, goldenQueries: 1 })
  const whole = await make(world)
  const windowed = await make(world, undefined, { windowRows: 16_384 })
  assert.is(windowed?.sentRows, whole?.sentRows)
  assertWhole(world, await apply(world))
})

test('takes rows from more files than are open at a time', async () => {
  const from = Array.from({ length: 50 }, (_, cluster) => seedRows(numbers(cluster * 40, 40)))
  const to = Array.from({ length: 3 }, (_, cluster) =>
    seedRows(numbers(0, 660).map((row) => 3 * row + cluster)),
  )
  const world = makeWorld(from, to, { dimensions: 32, goldenQueries: 1 })
  const patch = await make(world)
  assert.is(patch?.sentRows, 1)
  assertWhole(world, await apply(world))
})

test('needs at most 150 MiB on either side', async () => {
  const root = makeTempDir()
  const shape = { dimensions: 512, search: 'exact-i8', goldenQueries: 20 } as const
  makeRowGeneration(root, { name: 'dg_1', clusters: makeBase(1, 100), ...shape })
  makeRowGeneration(join(root, 'new'), { name: 'dg_2', clusters: CASES.new(makeBase(2, 12_000)), ...shape })
  mkdirSync(join(root, 'new/rebuilt'))
  const once = join(import.meta.dirname, '../../../bench/delta/once.ts')
  for (const side of ['make', 'apply']) {
    const { stdout } = await promisify(execFile)(process.execPath, [once, side, root, 'new'])
    const { answer, memory } = JSON.parse(stdout) as { answer: unknown; memory: number }
    assert.ok(answer)
    assert.ok(memory < 150 * 2 ** 20, `${side}: ${memory}`)
  }
})

test('gives the same bytes for the same generations', async () => {
  const world = makeWorld(ROWS, change(10))
  await make(world)
  const first = readFileSync(world.target)
  await make(world)
  assert.ok(first.equals(readFileSync(world.target)))
})

test('leaves nothing beside the patch', async () => {
  const world = makeWorld(ROWS, change(10))
  await make(world)
  const found = listFiles(dirname(world.target)).filter((path) => !path.includes('dg_'))
  assert.equal(found, ['patch'])
})

test('tells how many rows, lines and files are sent and copied', async () => {
  const patch = await make(makeWorld(ROWS, change(100)))
  assert.is(patch?.sentRows, 16 + 8)
  // A line of golden.json before and after the queries is a line, too.
  assert.ok(patch !== undefined && patch.copiedRows >= 2 * 792)
  assert.is(patch?.copiedFiles, 1)
})

test('needs next to nothing for the same content under another number', async () => {
  const world = makeWorld(ROWS, ROWS, { search: 'exact-i8' })
  const patch = await make(world)
  assert.ok(patch !== undefined && patch.bytes < 1000)
  assertWhole(world, await apply(world))
})

test('stays near the share of rows that changed', async () => {
  for (const [step, most] of [
    [20, 0.07],
    [100, 0.025],
  ] as const) {
    const world = makeWorld(ROWS, change(step), { dimensions: 512, goldenQueries: 2 })
    const patch = await make(world)
    assert.ok(patch !== undefined && patch.bytes < most * countBytes(world.manifest), `${patch?.bytes}`)
  }
})

test('takes rows that moved to other clusters as unchanged', async () => {
  const all = ROWS.flat()
  const moved = [0, 1, 2].map((cluster) => all.filter((_, index) => (index * 7) % 3 === cluster))
  const world = makeWorld(ROWS, moved, { dimensions: 256, goldenQueries: 1 })
  const patch = await make(world)
  assert.ok(patch !== undefined && patch.bytes < 0.02 * countBytes(world.manifest), `${patch?.bytes}`)
  assert.is(patch?.sentRows, 1)
})

/** Changes a file of a generation, and its manifest with it. */
function editFile(
  directory: string,
  manifest: Manifest,
  path: string,
  edit: (bytes: Buffer) => Buffer,
): void {
  const bytes = edit(readFileSync(join(directory, path)))
  writeFileSync(join(directory, path), bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  Object.assign(manifest.files.find((file) => file.path === path)!, { bytes: bytes.length, sha256 })
  Object.assign(manifest, { digest: computeDigest(manifest) })
  writeFileSync(join(directory, MANIFEST_FILE), JSON.stringify(manifest))
}

test('takes lines longer than any buffer, and rows that are no lines at all, as they are', async () => {
  const world = makeWorld(ROWS, change(20))
  const append = (bytes: Buffer) =>
    Buffer.concat([bytes, Buffer.alloc(3_000_000, 'x'), Buffer.from('\n\n\nno end')])
  editFile(world.baseDirectory, world.base, 'clust_0/items.jsonl', append)
  editFile(world.directory, world.manifest, 'clust_0/items.jsonl', append)
  const patch = await make(world)
  assert.ok(patch !== undefined && patch.bytes < 100_000, `${patch?.bytes}`)
  assertWhole(world, await apply(world))
})

test('sends a row whose fingerprint is that of another one', async () => {
  // The second word undoes in both lanes what the first one did.
  const rows = ['393000000a026013', '02550000d56481ac'].map((hex) => Buffer.from(hex, 'hex'))
  const prints = rows.map((row) => {
    const print = new Uint32Array(2)
    writeFingerprint(row, 0, row.length, print, 0)
    return print
  })
  assert.equal(prints[0], prints[1])
  const put = (row: Buffer) => (bytes: Buffer) => {
    row.copy(bytes, bytes.length - 7 * row.length)
    return bytes
  }
  const world = makeWorld(ROWS, change(50), { dimensions: 2 })
  editFile(world.baseDirectory, world.base, 'clust_0/vectors.npy', put(rows[0]!))
  editFile(world.directory, world.manifest, 'clust_0/vectors.npy', put(rows[1]!))
  assert.ok(await make(world))
  assertWhole(world, await apply(world))
})

test('derives quantised rows, also when the largest number of a shard changed all of them', async () => {
  const [first, second] = ROWS
  const to = [[{ vector: LARGEST_ROW, line: 0 }, ...first!.slice(1)], second!]
  const world = makeWorld(ROWS, to, { search: 'exact-i8', dimensions: 128, goldenQueries: 1 })
  const patch = await make(world)
  assert.ok(patch !== undefined && patch.bytes < 0.02 * countBytes(world.manifest), `${patch?.bytes}`)
  assertWhole(world, await apply(world))
})

test('sends a derived file that does not come out the same', async () => {
  const world = makeWorld(ROWS, change(10), { search: 'exact-i8' })
  const clusters = world.manifest.clusters.map((shard) => ({
    ...shard,
    search: { kind: 'exact-i8', scale: 1, candidates: 20, recall: 1 } as const,
  }))
  const odd = { ...world, manifest: { ...world.manifest, clusters } }
  assert.ok(await make(odd))
  assertWhole(odd, await apply(odd))
})

test('makes no patch of generations that have nothing in common', async () => {
  const world = makeWorld(ROWS, [seedRows(numbers(5000, 800))])
  writeFileSync(world.target, 'of an earlier base')
  assert.is(await make(world), undefined)
  assert.not(existsSync(`${world.target}.part`))
  assert.not(existsSync(`${world.target}.rows`))
})

test('sends the vectors of another model, and takes the items from the base', async () => {
  const world = makeWorld(ROWS, ROWS, { dimensions: 64 }, { dimensions: 48 })
  const patch = await make(world)
  assert.is(patch?.copiedFiles, 4)
  assert.is(patch?.sentRows, 800 + 8)
  assertWhole(world, await apply(world))
})

test('does without a file that the base lacks or has only in part on this machine', async () => {
  const world = makeWorld(ROWS, change(20))
  rmSync(join(world.baseDirectory, 'clust_0/items.jsonl'))
  truncateSync(join(world.baseDirectory, 'golden.json'), 100)
  assert.ok(await make(world))
  assertWhole(world, await apply(world))
})

test('sends a row that is damaged in the base on this machine, as the node may hold it whole', async () => {
  const world = makeWorld(ROWS, change(20))
  const path = join(world.baseDirectory, 'clust_1/vectors.npy')
  flipByte(path)
  assert.ok(await make(world))
  flipByte(path)
  assertWhole(world, await apply(world))
})

test('ends with nothing left when it is given up', async () => {
  const world = makeWorld(ROWS, change(20))
  const given = new AbortController()
  given.abort(new Error('given up'))
  const error = await make(world, given.signal).then(
    () => undefined,
    (reason: Error) => reason,
  )
  assert.is(error?.message, 'given up')
  const left = listFiles(dirname(world.target)).filter((path) => !path.includes('dg_'))
  assert.equal(left, [])
})

test.run()
