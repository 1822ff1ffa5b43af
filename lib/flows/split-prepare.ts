import { HashCounter } from '../domain/hash-counter.ts'
import { hashBytes, hashText } from '../domain/text-hash.ts'
import type { ItemLines, NamedTexts, PreparedRows } from '../ports/generation-writer.ts'
import type { Reject, RowBatch, SourceItem, TextItems } from '../ports/input.ts'
import { isTextItems, readText } from './split-items.ts'
import { LineBuilder } from './split-lines.ts'
import { Naming, nameText } from './split-naming.ts'

export type PrepareOptions = {
  readonly dimensions: number
  /** Whether items whose text and embedding an item before them has are rejected. */
  readonly merge: boolean
  /** Ids that are looked for; found ones are taken out. */
  readonly wanted: Set<string>
  /** About how many rows will come. */
  readonly expectedRows: number
}

/** What is kept of a batch: the places of its items, and these ready to be written. */
type Taken<Items> = { readonly kept: readonly number[]; readonly items: Items }

const MERGED = 'has the text and the embedding of an item before it'

/** Turns batches of one input, from its start, into rows to write: gives ids, rejects repeated ones, renders items. */
export class Preparer {
  readonly #options: PrepareOptions
  readonly #contents = new HashCounter()
  readonly #naming: Naming
  readonly #lines = new LineBuilder()
  #ordinal = 0
  #refused: Reject[] = []

  constructor(options: PrepareOptions) {
    this.#options = options
    this.#naming = new Naming(options.expectedRows)
  }

  prepare(batch: RowBatch): PreparedRows {
    const { items, rejects } = batch
    const vectors = batch.vectors!
    const taken = isTextItems(items) ? this.#takeTexts(items, vectors) : this.#takeItems(items, vectors)
    const refused = this.#refused
    this.#refused = []
    this.#ordinal += items.length + rejects.length
    return {
      items: taken.items,
      ...this.#selectRows(taken.kept, batch),
      rejects: [...rejects, ...refused],
      ...(batch.recycle && { recycle: batch.recycle }),
    }
  }

  /** Renders what is kept of items. */
  #takeItems(items: readonly SourceItem[], vectors: Float32Array): Taken<ItemLines> {
    const { wanted, merge } = this.#options
    const kept: number[] = []
    for (const [index, item] of items.entries()) {
      const ordinal = this.#ordinal + index
      const row = item.text ?? item.id ?? ordinal
      if (merge && this.#isRepeated(...hashText(item.text ?? ''), this.#rowOf(vectors, index))) {
        this.#refused.push({ row, reason: MERGED })
        continue
      }
      const id = this.#naming.nameItem(item, ordinal)
      if (id === null) this.#refused.push({ row, reason: `its id ${item.id} stands twice` })
      else {
        kept.push(index)
        this.#lines.addItem(id, item)
        wanted.delete(id)
      }
    }
    return { kept, items: this.#lines.take() }
  }

  /** As `#takeItems`, without making a string or an object of any row, and unrendered. */
  #takeTexts(texts: TextItems, vectors: Float32Array): Taken<NamedTexts> {
    const { wanted, merge } = this.#options
    const kept: number[] = []
    const repetitions = new Uint32Array(texts.length)
    for (let index = 0; index < texts.length; index++) {
      const high = texts.hashes[2 * index]!
      const low = texts.hashes[2 * index + 1]!
      if (merge && this.#isRepeated(high, low, this.#rowOf(vectors, index))) {
        this.#refused.push({ row: readText(texts, index), reason: MERGED })
        continue
      }
      const repetition = texts.areDistinct ? 0 : this.#naming.countText(high, low)
      repetitions[kept.length] = repetition
      kept.push(index)
      if (wanted.size > 0) wanted.delete(nameText(high, low, repetition))
    }
    return { kept, items: { ...selectTexts(texts, kept), repetitions } }
  }

  /** Whether an item before has a text of this hash, and the same embedding. */
  #isRepeated(high: number, low: number, vector: Float32Array): boolean {
    const words = new Uint32Array(2)
    const view = new DataView(vector.buffer, vector.byteOffset, vector.byteLength)
    hashBytes(view, 0, vector.byteLength, words)
    const mixedHigh = high ^ Math.imul(words[0]!, 0x9e3779b1)
    const mixedLow = low ^ Math.imul(words[1]!, 0x85ebca6b)
    return this.#contents.add(mixedHigh, mixedLow) > 0
  }

  /** The rows that are kept, without copying them where all are. */
  #selectRows(
    kept: readonly number[],
    { items, vectors, clusters }: RowBatch,
  ): Pick<PreparedRows, 'vectors' | 'clusters'> {
    if (kept.length === items.length) return { vectors: vectors!, clusters }
    const { dimensions } = this.#options
    const selected = new Float32Array(kept.length * dimensions)
    for (const [to, from] of kept.entries()) selected.set(this.#rowOf(vectors!, from), to * dimensions)
    return { vectors: selected, clusters: clusters && Int32Array.from(kept, (from) => clusters[from]!) }
  }

  #rowOf(vectors: Float32Array, index: number): Float32Array {
    const { dimensions } = this.#options
    return vectors.subarray(index * dimensions, (index + 1) * dimensions)
  }
}

/** Some of the texts, without copying them where all are kept. */
function selectTexts(
  { length, bytes, ends, hashes }: TextItems,
  kept: readonly number[],
): Omit<NamedTexts, 'repetitions'> {
  if (kept.length === length) return { bytes, ends, hashes }
  const parts = kept.map((index) => bytes.subarray(ends[index - 1] ?? 0, ends[index]))
  let end = 0
  return {
    bytes: Buffer.concat(parts),
    ends: Uint32Array.from(parts, (part) => {
      end += part.length
      return end
    }),
    hashes: Uint32Array.from(kept.flatMap((index) => [hashes[2 * index]!, hashes[2 * index + 1]!])),
  }
}
