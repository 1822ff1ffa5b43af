import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { renderNpyHeader } from '../../lib/adapters/files/npy.ts'
import { createRandom } from '../../lib/domain/random.ts'

export const DIMENSIONS = 512
export const CLUSTERS = 4
/** Bytes of a row in a generation, about: its vector, its sentence, and where that begins. */
export const ROW_BYTES = 4 * DIMENSIONS + 94
const BLOCK_ROWS = 2048
/** Of a centroid in a vector; the rest is noise of the same length, so that every row is nearest to its own. */
const OF_CENTROID = 1.5

/** A gallery that differs from the first one in one row of `every`: written anew, or taken out and another one put in. */
export type Change = { readonly every: number; readonly kind: 'changed' | 'replaced' }

/** One row: the same id and version give the same bytes in every gallery. */
type Row = { readonly id: number; readonly version: number }

/** Writes unit vectors [rows, 512] of four clusters and a sentence for each as NumPy input with given clusters. */
export function writeInput(directory: string, rows: number, change?: Change): void {
  mkdirSync(directory, { recursive: true })
  const chosen = listRows(rows, change)
  const centroids = drawCentroids()
  const vectors = openSync(join(directory, 'vectors.npy'), 'w')
  const items = openSync(join(directory, 'items.jsonl'), 'w')
  try {
    writeSync(vectors, renderNpyHeader('<f4', [chosen.length, DIMENSIONS]))
    for (let start = 0; start < chosen.length; start += BLOCK_ROWS) {
      const block = chosen.slice(start, start + BLOCK_ROWS)
      const values = new Float32Array(block.length * DIMENSIONS)
      for (const [index, row] of block.entries()) {
        drawVector(row, centroids, values.subarray(index * DIMENSIONS, (index + 1) * DIMENSIONS))
      }
      writeSync(vectors, new Uint8Array(values.buffer))
      writeSync(items, block.map(renderItem).join(''))
    }
  } finally {
    closeSync(vectors)
    closeSync(items)
  }
  const homes = Int32Array.from(chosen, ({ id }) => id % CLUSTERS)
  writeNpy(join(directory, 'clusters.npy'), '<i4', [homes.length], homes)
  writeNpy(join(directory, 'centroids.npy'), '<f4', [CLUSTERS, DIMENSIONS], centroids)
}

/** Rows in their order. One that is put in stands elsewhere than the one that was taken out. */
function listRows(rows: number, change?: Change): Row[] {
  const ids = Array.from({ length: rows }, (_, id) => id)
  if (!change) return ids.map((id) => ({ id, version: 0 }))
  const { every, kind } = change
  if (kind === 'changed') return ids.map((id) => ({ id, version: id % every === 0 ? 1 : 0 }))
  return ids.flatMap((id): Row[] => {
    if (id % every === 0) return []
    const isBeforeNew = id % every === Math.floor(every / 2)
    return [{ id, version: 0 }, ...(isBeforeNew ? [{ id: rows + id, version: 0 }] : [])]
  })
}

function drawCentroids(): Float32Array {
  const centroids = new Float32Array(CLUSTERS * DIMENSIONS)
  for (let cluster = 0; cluster < CLUSTERS; cluster++) {
    drawUnit(createRandom(-1 - cluster), centroids.subarray(cluster * DIMENSIONS, (cluster + 1) * DIMENSIONS))
  }
  return centroids
}

function drawVector({ id, version }: Row, centroids: Float32Array, target: Float32Array): void {
  drawUnit(createRandom(2 * id + version + 1), target)
  const at = (id % CLUSTERS) * DIMENSIONS
  for (let index = 0; index < DIMENSIONS; index++) target[index]! += OF_CENTROID * centroids[at + index]!
  normalize(target)
}

function drawUnit(random: () => number, target: Float32Array): void {
  for (let index = 0; index < target.length; index++) target[index] = random() - 0.5
  normalize(target)
}

function normalize(target: Float32Array): void {
  let squares = 0
  for (const value of target) squares += value * value
  const scale = 1 / Math.sqrt(squares)
  for (let index = 0; index < target.length; index++) target[index]! *= scale
}

function renderItem({ id, version }: Row): string {
  const text = `What is the answer to question number ${id}, asked for the ${version + 1}. time?`
  return `${JSON.stringify({ id: `i${id}`, text })}\n`
}

function writeNpy(
  path: string,
  descr: string,
  shape: readonly number[],
  values: Float32Array | Int32Array,
): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  writeFileSync(path, Buffer.concat([renderNpyHeader(descr, shape), bytes]))
}
