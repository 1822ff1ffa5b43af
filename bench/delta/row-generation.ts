import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { renderNpyHeader } from '../../lib/adapters/files/npy.ts'
import { renderOffsets } from '../../lib/adapters/generations/item-offsets.ts'
import { quantise, scaleFor } from '../../lib/adapters/search/codes.ts'
import { renderGolden } from '../../lib/domain/golden.ts'
import {
  CENTROIDS_FILE,
  type FileEntry,
  GOLDEN_FILE,
  type Manifest,
  type ShardEntry,
  searchFile,
  shardFile,
} from '../../lib/domain/manifest.ts'
import { fingerprintOf, type Model } from '../../lib/domain/model.ts'
import { createRandom } from '../../lib/domain/random.ts'
import { writeSignedManifest } from '../../test/support/signed-manifest.ts'

/** A row by the numbers that its embedding and its line are made of: equal numbers, equal bytes. */
export type SeededRow = { readonly vector: number; readonly line: number }

export type RowGeneration = {
  readonly name: string
  readonly dimensions: number
  /** Rows of each cluster, by its id. */
  readonly clusters: readonly (readonly SeededRow[])[]
  readonly search?: 'exact' | 'exact-i8'
  readonly goldenQueries?: number
  /** Rows are cut out of one block of noise and only their first number tells them apart: many gigabytes are made soon. */
  readonly isCut?: boolean
}

const BLOCK_ROWS = 2048
/** A row of exact-i8 that decides the scale of its shard. */
export const LARGEST_ROW = 424_242

/** Rows as SeededRow where embedding and line come from the same number. */
export function seedRows(numbers: readonly number[]): SeededRow[] {
  return numbers.map((number) => ({ vector: number, line: number }))
}

/** Writes a generation of rows that are in no way near to each other to `<directory>/<name>`. */
export function makeRowGeneration(directory: string, generation: RowGeneration): Manifest {
  const { name, dimensions, clusters, search = 'exact', isCut = false } = generation
  const root = join(directory, name)
  const files: FileEntry[] = []
  const write = (path: string, pieces: Iterable<Uint8Array>) => files.push(writePieces(root, path, pieces))
  const [centroids] = readVectors(seedRows(clusters.map((_, id) => -1 - id)), dimensions)
  write(CENTROIDS_FILE, [
    renderNpyHeader('<f4', [clusters.length, dimensions]),
    new Uint8Array(centroids!.buffer),
  ])
  write(GOLDEN_FILE, [Buffer.from(renderRowGolden(generation))])
  const entries = clusters.map((rows, id): ShardEntry => {
    const shape = [rows.length, dimensions]
    write(shardFile(id, 'vectors'), renderMatrix('<f4', shape, readVectors(rows, dimensions, isCut)))
    write(shardFile(id, 'items'), renderLines(rows))
    write(shardFile(id, 'offsets'), renderAllOffsets(rows))
    if (search === 'exact' || rows.length === 0) return { id, items: rows.length }
    const scale = Math.min(...[...readVectors(rows, dimensions)].map(scaleFor))
    const entry = {
      id,
      items: rows.length,
      search: { kind: search, scale, candidates: 20, recall: 1 },
    } as const
    write(searchFile(entry)!, renderMatrix('|i1', shape, quantiseAll(rows, dimensions, scale)))
    return entry
  })
  return writeSignedManifest(root, {
    generation: name,
    model: makeModel(dimensions),
    clusters: entries,
    files,
  })
}

export function renderLine(seed: number): string {
  const random = createRandom(seed)
  const words = Array.from({ length: 8 + Math.floor(random() * 12) }, () =>
    Math.floor(random() * 50_000).toString(36),
  )
  return `${JSON.stringify({ id: `item-${seed}`, text: words.join(' ') })}\n`
}

function* readVectors(
  rows: readonly SeededRow[],
  dimensions: number,
  isCut = false,
): Generator<Float32Array> {
  const fill = isCut ? cutVector : fillVector
  for (let first = 0; first < rows.length; first += BLOCK_ROWS) {
    const block = rows.slice(first, first + BLOCK_ROWS)
    const vectors = new Float32Array(block.length * dimensions)
    for (const [row, { vector }] of block.entries()) {
      fill(vectors.subarray(row * dimensions, (row + 1) * dimensions), vector)
    }
    yield vectors
  }
}

/** Numbers spread as those of an embedding of length 1, nearly. */
function fillVector(target: Float32Array, seed: number): void {
  const random = createRandom(seed)
  const spread = (seed === LARGEST_ROW ? 8 : 2) / Math.sqrt(target.length)
  for (let at = 0; at < target.length; at++) target[at] = (random() + random() + random() - 1.5) * spread
}

const noise = new Float32Array(2 ** 18)

function cutVector(target: Float32Array, seed: number): void {
  if (noise[0] === 0) fillVector(noise, 1)
  const start = (Math.abs(seed) * 7) % (noise.length - target.length)
  target.set(noise.subarray(start, start + target.length))
  target[0] = seed
}

function* quantiseAll(
  rows: readonly SeededRow[],
  dimensions: number,
  scale: number,
): Generator<Int8Array<ArrayBuffer>> {
  for (const vectors of readVectors(rows, dimensions)) {
    const codes = new Int8Array(vectors.length)
    quantise(vectors, scale, codes)
    yield codes
  }
}

function* renderMatrix(
  descr: string,
  shape: readonly number[],
  blocks: Iterable<Float32Array | Int8Array>,
): Generator<Uint8Array> {
  yield renderNpyHeader(descr, shape)
  for (const { buffer, byteOffset, byteLength } of blocks)
    yield new Uint8Array(buffer, byteOffset, byteLength)
}

function* renderLines(rows: readonly SeededRow[]): Generator<Uint8Array> {
  for (let first = 0; first < rows.length; first += BLOCK_ROWS) {
    const block = rows.slice(first, first + BLOCK_ROWS)
    yield Buffer.from(block.map(({ line }) => renderLine(line)).join(''))
  }
}

function* renderAllOffsets(rows: readonly SeededRow[]): Generator<Uint8Array> {
  let position = 0
  yield renderOffsets(1, () => 0)
  for (let first = 0; first < rows.length; first += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, rows.length - first)
    yield renderOffsets(count, (index) => {
      position += Buffer.byteLength(renderLine(rows[first + index]!.line))
      return position
    })
  }
}

function renderRowGolden({ clusters, dimensions, goldenQueries = 8 }: RowGeneration): string {
  const rows = clusters.flat()
  const step = Math.max(1, Math.floor(rows.length / goldenQueries))
  const sampled = rows.filter((_, index) => index % step === 0).slice(0, goldenQueries)
  const queries = sampled.map((row) => {
    const random = createRandom(row.vector)
    const hits = Array.from({ length: 10 }, () => ({
      id: `item-${rows[Math.floor(random() * rows.length)]!.line}`,
      cluster: 0,
      score: Math.fround(random()),
    }))
    const [vector] = readVectors([row], dimensions)
    return { id: `item-${row.line}`, vector: [...vector!], hits }
  })
  return renderGolden({ k: 10, queries, pairs: [] })
}

function makeModel(dimensions: number): Model {
  const declared = { name: 'seeded', version: '1', dimensions, metric: 'cosine', normalized: true } as const
  return { ...declared, fingerprint: fingerprintOf(declared) }
}

function writePieces(root: string, path: string, pieces: Iterable<Uint8Array>): FileEntry {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  const file = openSync(join(root, path), 'w')
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for (const piece of pieces) {
      writeSync(file, piece)
      hash.update(piece)
      bytes += piece.length
    }
  } finally {
    closeSync(file)
  }
  return { path, bytes, sha256: hash.digest('hex') }
}
