import { setImmediate as turn } from 'node:timers/promises'
import type { Reject, RowBatch, SourceItem } from '../../ports/input.ts'
import { createFloats, type FloatTarget } from '../files/floats.ts'

const BATCH_BYTES = 1024 * 1024
const MOST_ROWS = 4096

/** Collects rows until they fill a batch of at most 1 MiB of vectors. */
export class BatchBuilder {
  readonly #dimensions: number | null
  readonly #hasClusters: boolean
  readonly #limit: number
  #items: SourceItem[] = []
  #rejects: Reject[] = []
  #clusters: Int32Array | undefined
  #target: FloatTarget | undefined

  constructor(dimensions: number | null, hasClusters: boolean) {
    this.#dimensions = dimensions
    this.#hasClusters = hasClusters
    const fitting = dimensions ? Math.floor(BATCH_BYTES / (4 * dimensions)) : MOST_ROWS
    this.#limit = Math.max(1, Math.min(MOST_ROWS, fitting))
  }

  get isFull(): boolean {
    return this.#items.length >= this.#limit || this.#rejects.length >= MOST_ROWS
  }

  get isEmpty(): boolean {
    return this.#items.length + this.#rejects.length === 0
  }

  /** Where the numbers of the next row belong: the memory of the batch, and an index into its floats. */
  get target(): FloatTarget {
    this.#target ??= createFloats(this.#limit * (this.#dimensions ?? 0))
    return this.#target
  }

  get targetAt(): number {
    return this.#items.length * (this.#dimensions ?? 0)
  }

  /** Adds a row whose numbers were written to the target. */
  add(item: SourceItem, cluster?: number): void {
    if (this.#hasClusters && cluster !== undefined) {
      this.#clusters ??= new Int32Array(this.#limit)
      this.#clusters[this.#items.length] = cluster
    }
    this.#items.push(item)
  }

  reject(row: number | string, reason: string): void {
    this.#rejects.push({ row, reason })
  }

  /** The rows so far as a batch, after one turn of the event loop so that signals get through. Begins a new batch. */
  async take(signal: AbortSignal): Promise<RowBatch> {
    await turn()
    signal.throwIfAborted()
    const [items, rejects] = [this.#items, this.#rejects]
    const batch = {
      items,
      rejects,
      vectors: this.#dimensions === null ? null : this.target.floats.subarray(0, this.targetAt),
      clusters: this.#hasClusters ? (this.#clusters ?? new Int32Array(0)).subarray(0, items.length) : null,
    }
    this.#items = []
    this.#rejects = []
    this.#clusters = undefined
    this.#target = undefined
    return batch
  }
}
