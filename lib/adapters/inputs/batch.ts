import { setImmediate as turn } from 'node:timers/promises'
import type { Reject, RowBatch, SourceItem } from '../../ports/input.ts'
import { createSharedFloats, type FloatTarget } from '../files/floats.ts'
import { type HashedText, TextColumn } from './text-column.ts'

/** Large enough that handing batches to another thread costs little. */
const BATCH_BYTES = 4 * 1024 * 1024
const MOST_ROWS = 4096

export type BatchOptions = {
  readonly hasClusters: boolean
  /** Whether no text is added twice. */
  readonly areTextsDistinct?: boolean
}

/** Collects rows until they fill a batch of at most 4 MiB of vectors. */
export class BatchBuilder {
  readonly #dimensions: number | null
  readonly #hasClusters: boolean
  readonly #areTextsDistinct: boolean
  readonly #limit: number
  /** Memory of vectors that came back. */
  readonly #spare: FloatTarget[] = []
  #count = 0
  #items: SourceItem[] = []
  #texts: TextColumn | undefined
  #rejects: Reject[] = []
  #clusters: Int32Array | undefined
  #target: FloatTarget | undefined

  constructor(dimensions: number | null, { hasClusters, areTextsDistinct = false }: BatchOptions) {
    this.#areTextsDistinct = areTextsDistinct
    this.#dimensions = dimensions
    this.#hasClusters = hasClusters
    const fitting = dimensions ? Math.floor(BATCH_BYTES / (4 * dimensions)) : MOST_ROWS
    this.#limit = Math.max(1, Math.min(MOST_ROWS, fitting))
  }

  get isFull(): boolean {
    return this.#count >= this.#limit || this.#rejects.length >= MOST_ROWS
  }

  get isEmpty(): boolean {
    return this.#count + this.#rejects.length === 0
  }

  /** Where the numbers of the next row belong: the memory of the batch, and an index into its floats. */
  get target(): FloatTarget {
    this.#target ??= this.#spare.pop() ?? createSharedFloats(this.#limit * (this.#dimensions ?? 0))
    return this.#target
  }

  get targetAt(): number {
    return this.#count * (this.#dimensions ?? 0)
  }

  /** Adds a row whose numbers were written to the target. */
  add(item: SourceItem, cluster?: number): void {
    this.#items.push(item)
    this.#addCluster(cluster)
  }

  /** As `add`, for a row with nothing but a text; then all rows of the input must be such. */
  addText(text: HashedText, cluster?: number): void {
    this.#texts ??= new TextColumn(this.#limit, this.#areTextsDistinct)
    this.#texts.add(text)
    this.#addCluster(cluster)
  }

  reject(row: number | string, reason: string): void {
    this.#rejects.push({ row, reason })
  }

  /** The rows so far as a batch, after one turn of the event loop so that signals get through. Begins a new batch. */
  async take(signal: AbortSignal): Promise<RowBatch> {
    await turn()
    signal.throwIfAborted()
    const target = this.#dimensions === null ? null : this.target
    const batch = {
      items: this.#texts?.take() ?? this.#items,
      rejects: this.#rejects,
      vectors: target?.floats.subarray(0, this.targetAt) ?? null,
      clusters: this.#hasClusters ? (this.#clusters ?? new Int32Array(0)).subarray(0, this.#count) : null,
      recycle: () => void (target && this.#spare.push(target)),
    }
    this.#count = 0
    this.#items = []
    this.#rejects = []
    this.#clusters = undefined
    this.#target = undefined
    return batch
  }

  #addCluster(cluster: number | undefined): void {
    if (this.#hasClusters && cluster !== undefined) {
      this.#clusters ??= new Int32Array(this.#limit)
      this.#clusters[this.#count] = cluster
    }
    this.#count++
  }
}
