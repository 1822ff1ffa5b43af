import { joinRuns, NOWHERE, RowMatcher, type RowRun } from '../../domain/row-delta.ts'
import type { BaseRows } from './base-rows.ts'
import type { HeldBytes } from './held-bytes.ts'
import type { Pace } from './pace.ts'
import { WAY_CODES } from './patch-format.ts'
import type { PatchWriter } from './patch-writer.ts'
import { type RowShape, readRows } from './read-rows.ts'
import { RowWindow, type WindowPart } from './row-window.ts'

/** Files of one shape, by their numbers in the manifest. */
export type RowFiles = {
  readonly shape: RowShape
  readonly files: readonly { readonly file: number; readonly path: string }[]
}

export type RowContext = {
  readonly patch: PatchWriter
  /** The generation to make, and the one that it is made from. */
  readonly target: HeldBytes
  readonly base: HeldBytes
  readonly pace: Pace
  /** Rows that are looked for at once, at least as many as a block has. */
  readonly windowRows: number
  /** Told bytes that will be needed; raises an error where the patch is not worth them. */
  readonly checkWorth: (bytes: number) => void
}

/** Rows, or lines, that stand in a patch, and that are copied. */
export type RowCounts = { sent: number; copied: number }

const COMPARED_BYTES = 256 * 1024

/** Writes how files come about from the rows of a base and new ones. */
export async function writeRows(
  { shape, files }: RowFiles,
  rows: BaseRows,
  context: RowContext,
): Promise<RowCounts> {
  const window = new RowWindow(context.windowRows)
  const writer = new RunWriter(shape, rows, context)
  const flush = async () => {
    await writer.write(window)
    window.clear()
  }
  for (const { file, path } of files) {
    window.begin(file, shape.prefix)
    for (const block of readRows(path, shape)) {
      if (!window.hasRoom(block.count)) await flush()
      window.add(block)
      await context.pace.turn()
    }
  }
  await flush()
  return writer.counts
}

/** Says of each run of rows where it is copied from, or which bytes it has. */
class RunWriter {
  readonly counts: RowCounts = { sent: 0, copied: 0 }
  readonly #shape: RowShape
  readonly #unit: number
  readonly #rows: BaseRows
  readonly #context: RowContext
  #file: number | undefined
  /** Where the run after the last one of each base file would begin. */
  readonly #next = new Map<number, number>()
  readonly #buffers = [
    Buffer.allocUnsafeSlow(COMPARED_BYTES),
    Buffer.allocUnsafeSlow(COMPARED_BYTES),
  ] as const

  constructor(shape: RowShape, rows: BaseRows, context: RowContext) {
    this.#shape = shape
    this.#unit = shape.width ?? 1
    this.#rows = rows
    this.#context = context
  }

  async write(window: RowWindow): Promise<void> {
    const matcher = new RowMatcher(window.rows)
    for (const { start, rows } of this.#rows.list()) {
      matcher.look(rows, start)
      await this.#context.pace.turn()
    }
    const places = matcher.finish()
    this.#context.checkWorth(countNew(window.rows.lengths, places))
    for (const part of window.parts) {
      if (part.file !== this.#file) this.#writeStart(part.file)
      let offset = part.offset
      for (const run of joinRuns(window.rows.lengths, places, part)) {
        await this.#writeRun(part, run, offset)
        offset += run.bytes
      }
    }
    matcher.release()
  }

  /** What comes before the first run of a file. */
  #writeStart(file: number): void {
    const { patch, target } = this.#context
    const prefix = Buffer.alloc(this.#shape.prefix)
    if (prefix.length > 0) target.read(file, 0, prefix)
    for (const number of [file, WAY_CODES.rows, this.#unit, prefix.length]) patch.number(number)
    patch.bytes(prefix)
    this.#file = file
    this.#next.clear()
  }

  async #writeRun({ file }: WindowPart, { rows, bytes, from }: RowRun, offset: number): Promise<void> {
    const range = { file, offset, bytes }
    const source = from === NOWHERE ? undefined : this.#rows.locate(from)
    if (source && (await this.#isSame(range, source))) {
      this.counts.copied += rows
      this.#writeCopy(bytes, source)
    } else {
      this.counts.sent += rows
      await this.#writeNew(range)
    }
  }

  #writeCopy(bytes: number, { file, offset }: { readonly file: number; readonly offset: number }): void {
    const { patch } = this.#context
    const skipped = (offset - (this.#next.get(file) ?? this.#shape.prefix)) / this.#unit
    patch.number((2 * bytes) / this.#unit + 1)
    patch.number(file)
    patch.number(skipped < 0 ? -2 * skipped - 1 : 2 * skipped)
    this.#next.set(file, offset + bytes)
  }

  async #writeNew({ file, offset, bytes }: Range): Promise<void> {
    const { patch, target, pace } = this.#context
    patch.number((2 * bytes) / this.#unit)
    for (let done = 0; done < bytes; ) {
      const part = this.#buffers[0].subarray(0, bytes - done)
      target.read(file, offset + done, part)
      patch.bytes(part)
      done += part.length
      await pace.spend(part.length)
    }
  }

  /** Equal fingerprints promise nothing, so the bytes decide. */
  async #isSame({ file, offset, bytes }: Range, source: Omit<Range, 'bytes'>): Promise<boolean> {
    const { target, base, pace } = this.#context
    for (let done = 0; done < bytes; ) {
      const [mine, other] = this.#buffers.map((buffer) => buffer.subarray(0, bytes - done)) as [
        Buffer,
        Buffer,
      ]
      target.read(file, offset + done, mine)
      base.read(source.file, source.offset + done, other)
      if (!mine.equals(other)) return false
      done += mine.length
      await pace.spend(mine.length)
    }
    return true
  }
}

function countNew(lengths: Uint32Array, places: Float64Array): number {
  return places.reduce((sum, place, row) => sum + (place === NOWHERE ? lengths[row]! : 0), 0)
}

type Range = { readonly file: number; readonly offset: number; readonly bytes: number }
