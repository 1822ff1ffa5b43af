import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { renderNpyHeader } from '../../lib/adapters/files/npy.ts'
import {
  computeDigest,
  expectedPaths,
  MANIFEST_FILE,
  MANIFEST_FORMAT,
  type Manifest,
  shardDirectory,
  shardFile,
} from '../../lib/domain/manifest.ts'
import { fingerprintOf } from '../../lib/domain/model.ts'
import { createRandom } from '../../lib/domain/random.ts'

export type Size = { readonly rows: number; readonly queries: number; readonly dimensions: number }

const TOPICS = 64
const BLOCK_ROWS = 4096
const SPREAD = 0.7

/** Writes a generation of one cluster with unit vectors around 64 topics, and as many queries of the same kind. */
export function makeData(directory: string, size: Size): { manifest: Manifest; queries: Float32Array } {
  const { rows, dimensions } = size
  const generation = join(directory, 'dg_1')
  mkdirSync(join(generation, shardDirectory(0)), { recursive: true })
  const draw = createSource(dimensions)
  const lines = Array.from(
    { length: rows },
    (_, row) => `${JSON.stringify({ id: `i${row}`, text: `item ${row}` })}\n`,
  )
  const offsets = new BigUint64Array(rows + 1)
  for (const [row, line] of lines.entries()) offsets[row + 1] = offsets[row]! + BigInt(line.length)
  const sizes = {
    [shardFile(0, 'vectors')]: writeRows(join(generation, shardFile(0, 'vectors')), size, draw),
    [shardFile(0, 'items')]: writeBytes(join(generation, shardFile(0, 'items')), Buffer.from(lines.join(''))),
    [shardFile(0, 'offsets')]: writeBytes(
      join(generation, shardFile(0, 'offsets')),
      new Uint8Array(offsets.buffer),
    ),
  }
  const manifest = describe(rows, dimensions, sizes)
  writeFileSync(join(generation, MANIFEST_FILE), JSON.stringify(manifest))
  return { manifest, queries: draw(size.queries) }
}

/** A repeatable source of unit vectors [count, dimensions]. */
function createSource(dimensions: number): (count: number) => Float32Array {
  const random = createRandom(1)
  const topics = Float32Array.from({ length: TOPICS * dimensions }, () => random() - 0.5)
  return (count) => {
    const rows = new Float32Array(count * dimensions)
    for (let start = 0; start < rows.length; start += dimensions) {
      const topic = Math.floor(random() * TOPICS) * dimensions
      let squared = 0
      for (let column = 0; column < dimensions; column++) {
        const value = topics[topic + column]! + SPREAD * (random() - 0.5)
        rows[start + column] = value
        squared += value * value
      }
      const norm = Math.sqrt(squared)
      for (let at = start; at < start + dimensions; at++) rows[at]! /= norm
    }
    return rows
  }
}

function writeRows(path: string, { rows, dimensions }: Size, draw: (count: number) => Float32Array): number {
  const header = renderNpyHeader('<f4', [rows, dimensions])
  const file = openSync(path, 'w')
  writeSync(file, header)
  for (let left = rows; left > 0; left -= BLOCK_ROWS) {
    writeSync(file, new Uint8Array(draw(Math.min(left, BLOCK_ROWS)).buffer))
  }
  closeSync(file)
  return header.length + rows * dimensions * 4
}

function writeBytes(path: string, bytes: Uint8Array): number {
  writeFileSync(path, bytes)
  return bytes.length
}

/** The manifest of files that only an index service reads: it compares sizes, not hashes. */
function describe(rows: number, dimensions: number, sizes: Readonly<Record<string, number>>): Manifest {
  const declared = { name: 'bench', version: '1', dimensions, metric: 'cosine', normalized: true } as const
  const clusters = [{ id: 0, items: rows }]
  const unsigned: Omit<Manifest, 'digest'> = {
    format: MANIFEST_FORMAT,
    generation: 'dg_1',
    parent: null,
    model: { ...declared, fingerprint: fingerprintOf(declared) },
    clusters,
    routing: { nprobe: 1, recallTarget: 1, measured: [{ nprobe: 1, recall: 1 }] },
    quality: {},
    createdAt: '2026-01-01T00:00:00.000Z',
    source: { kind: 'bench', files: [], settings: '' },
    files: expectedPaths(clusters).map((path) => ({
      path,
      bytes: sizes[path] ?? 0,
      sha256: '0'.repeat(64),
    })),
  }
  return { ...unsigned, digest: computeDigest(unsigned) }
}
