import { createRandom, sampleNumbers } from '../domain/random.ts'
import type { Input, RowBatch } from '../ports/input.ts'
import type { Ledger } from '../ports/ledger.ts'
import { type Gallery, hashAt, hashBatches, nameItem } from './gallery.ts'
import { joinFloats } from './split-embedding.ts'
import { listItems } from './split-items.ts'

/** Items of a generation drawn at random, with their embeddings under its model and under another one. */
export type PairedSample = {
  /** Ids, or texts where items have none. */
  readonly names: readonly string[]
  /** Row-major [items, dimensions of the former model] */
  readonly before: Float32Array
  /** Row-major [items, dimensions of the other model] */
  readonly after: Float32Array
}

/** So many items have 80,000 pairs. */
const SAMPLED = 400

export type SampleOptions = {
  /** Items of the gallery. */
  readonly items: number
  /** Of the other model. */
  readonly dimensions: number
  readonly signal: AbortSignal
  /** How many are drawn. */
  readonly count?: number
}

/**
 * Items of a gallery that has embeddings, with those that a ledger holds of them: always the same ones of the same gallery.
 * Fewer than are drawn where the other model does not embed some.
 */
export async function samplePairs(
  { input, ...gallery }: Gallery,
  ledger: Pick<Ledger, 'find' | 'read'>,
  { items, dimensions, signal, count = SAMPLED }: SampleOptions,
): Promise<PairedSample> {
  const chosen = sampleNumbers(items, count, createRandom(count))
  const names: string[] = []
  const hashes: Uint8Array[] = []
  const rows: Float32Array[] = []
  for await (const hashed of hashBatches({ ...gallery, input: drawRows(input, chosen) }, signal)) {
    const { items: drawn, vectors } = hashed.batch
    for (let index = 0; index < drawn.length; index++) {
      const hash = hashAt(hashed.hashes, index)
      if (hashed.problems.has(index) || ledger.find(hash) !== 'embedded') continue
      names.push(nameItem(drawn, index))
      hashes.push(hash)
      rows.push(rowOf(vectors!, index, drawn.length))
    }
  }
  const after = new Float32Array(names.length * dimensions)
  await ledger.read(Buffer.concat(hashes), after)
  return { names, before: joinFloats(rows), after }
}

/** The rows of an input at these places, in ascending order. */
function drawRows(input: Input, places: readonly number[]): Input {
  return {
    kind: input.kind,
    files: input.files,
    rows: places.length,
    dimensions: input.dimensions,
    clusters: null,
    async *read(signal) {
      let [passed, next] = [0, 0]
      for await (const batch of input.read(signal)) {
        const end = passed + batch.items.length
        const first = next
        while (next < places.length && places[next]! < end) next++
        if (next > first)
          yield selectRows(
            batch,
            places.slice(first, next).map((place) => place - passed),
          )
        passed = end
      }
    },
  }
}

function selectRows({ items, vectors }: RowBatch, places: readonly number[]): RowBatch {
  const all = listItems(items)
  return {
    items: places.map((place) => all[place]!),
    vectors: joinFloats(places.map((place) => rowOf(vectors!, place, items.length))),
    clusters: null,
    rejects: [],
  }
}

function rowOf(vectors: Float32Array, row: number, rows: number): Float32Array {
  const dimensions = vectors.length / rows
  return vectors.subarray(row * dimensions, (row + 1) * dimensions)
}
