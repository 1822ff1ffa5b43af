import { join } from 'node:path'
import { CONTENT_HASH_BYTES } from '../../domain/content.ts'
import { LongshoreError } from '../../domain/errors.ts'
import type { HashLocations } from '../../domain/hash-locations.ts'
import type { Ledger, LedgerState } from '../../ports/ledger.ts'
import { explainDiskError } from '../generations/disk-error.ts'
import { DeadLetters } from './dead-letters.ts'
import { type Rows, SegmentWriter } from './segment-writer.ts'
import { type Run, readRuns, readSegments, type Segment } from './segments.ts'

/** Size at which a segment is left and another one begun. */
const SEGMENT_BYTES = 1 << 28

type Waiting = Rows & { readonly resolve: () => void; readonly reject: (error: unknown) => void }

/**
 * A ledger as segments of rows and keys. Every process fills segments of its own, so that not even two at once could
 * harm what is there. Additions that wait while others are brought to disk go there together.
 */
export class SegmentedLedger implements Ledger {
  readonly #directory: string
  readonly #rowBytes: number
  readonly #locations: HashLocations
  readonly #segments: Segment[]
  readonly #dead: DeadLetters
  #writer: SegmentWriter | undefined
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined

  private constructor(
    directory: string,
    rowBytes: number,
    parts: readonly [HashLocations, Segment[], DeadLetters],
  ) {
    this.#directory = directory
    this.#rowBytes = rowBytes
    ;[this.#locations, this.#segments, this.#dead] = parts
  }

  static async open(directory: string, dimensions: number): Promise<SegmentedLedger> {
    const rowBytes = 4 * dimensions
    const [segments, locations] = await readSegments(directory, rowBytes)
    const dead = await DeadLetters.open(join(directory, 'dead.jsonl'))
    return new SegmentedLedger(directory, rowBytes, [locations, segments, dead])
  }

  get size(): number {
    return this.#locations.size + this.#dead.size
  }

  find(hash: Uint8Array): LedgerState {
    if (this.#locations.find(hash) >= 0) return 'embedded'
    return this.#dead.reasonOf(hash) === undefined ? undefined : 'dead'
  }

  reasonOf(hash: Uint8Array): string | undefined {
    return this.#dead.reasonOf(hash)
  }

  async append(hashes: Uint8Array, vectors: Float32Array): Promise<void> {
    const count = hashes.length / CONTENT_HASH_BYTES
    if (vectors.byteLength !== count * this.#rowBytes) {
      throw new RangeError(
        `${count} hashes with ${vectors.length} numbers, expected ${(count * this.#rowBytes) / 4}`,
      )
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ hashes, vectors, resolve, reject })
    this.#writing ??= this.#writeWaiting()
    await promise
  }

  async bury(hash: Uint8Array, reason: string): Promise<void> {
    await this.#dead.add(hash, reason).catch((error: unknown) => {
      throw explainDiskError(error)
    })
  }

  async exhume(): Promise<void> {
    await this.#dead.clear()
  }

  async read(hashes: Uint8Array, target: Float32Array): Promise<void> {
    for (const [segment, runs] of this.#findRuns(hashes)) {
      await readRuns(this.#directory, segment, runs, { hashes, target })
    }
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#writer?.close()
    this.#writer = undefined
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const taken = this.#waiting
      this.#waiting = []
      try {
        await this.#write(taken)
        for (const { resolve } of taken) resolve()
      } catch (error) {
        for (const { reject } of taken) reject(explainDiskError(error))
      }
    }
    this.#writing = undefined
  }

  async #write(parts: readonly Rows[]): Promise<void> {
    const segment = await this.#beginSegment()
    await this.#writer!.append(parts)
    for (const { hashes } of parts) {
      for (let at = 0; at < hashes.length; at += CONTENT_HASH_BYTES) {
        this.#locations.add(hashes, at, segment.base + segment.rows++)
      }
    }
  }

  /** The segment that this process fills now. */
  async #beginSegment(): Promise<Segment> {
    const last = this.#segments.at(-1)
    if (this.#writer && last && last.rows * this.#rowBytes < SEGMENT_BYTES) return last
    await this.#writer?.close()
    this.#writer = await SegmentWriter.create(this.#directory, (last?.number ?? -1) + 1)
    const segment = { number: this.#writer.number, base: last ? last.base + last.rows : 0, rows: 0 }
    this.#segments.push(segment)
    return segment
  }

  /** Where the rows of hashes lie, by segment, neighbours joined. Raises `not-found`. */
  #findRuns(hashes: Uint8Array): Map<Segment, Run[]> {
    const bySegment = new Map<Segment, Run[]>()
    for (let target = 0; target * CONTENT_HASH_BYTES < hashes.length; target++) {
      const location = this.#locations.find(hashes, target * CONTENT_HASH_BYTES)
      if (location < 0) throw missing(hashes, target)
      const segment = this.#segments.findLast(({ base, rows }) => base <= location && rows > 0)!
      const runs = bySegment.get(segment) ?? []
      bySegment.set(segment, runs)
      const [row, last] = [location - segment.base, runs.at(-1)]
      if (last && last.row + last.count === row && last.target + last.count === target) {
        runs[runs.length - 1] = { ...last, count: last.count + 1 }
      } else runs.push({ row, target, count: 1 })
    }
    return bySegment
  }
}

function missing(hashes: Uint8Array, index: number): LongshoreError {
  const hash = hashes.subarray(index * CONTENT_HASH_BYTES, (index + 1) * CONTENT_HASH_BYTES)
  return new LongshoreError('not-found', `content ${Buffer.from(hash).toString('hex')}: not in the ledger`)
}
