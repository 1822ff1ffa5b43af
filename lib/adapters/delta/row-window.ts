import type { RowBlock } from '../../domain/row-delta.ts'

/** Rows of one file, from `first` to before `last` of the window; the first one begins at byte `offset` of the file. */
export type WindowPart = {
  readonly file: number
  readonly offset: number
  readonly first: number
  readonly last: number
}

type OpenPart = { file: number; offset: number; first: number; last: number; bytes: number }

/** Rows of several files that are looked for together. */
export class RowWindow {
  readonly #prints: Uint32Array
  readonly #lengths: Uint32Array
  #parts: OpenPart[] = []
  #count = 0

  /** Room for `capacity` rows. */
  constructor(capacity: number) {
    this.#prints = new Uint32Array(2 * capacity)
    this.#lengths = new Uint32Array(capacity)
  }

  get rows(): RowBlock {
    return { count: this.#count, prints: this.#prints, lengths: this.#lengths }
  }

  get parts(): readonly WindowPart[] {
    return this.#parts
  }

  /** Rows that are added from now on are those of this file, from byte `offset`. */
  begin(file: number, offset: number): void {
    this.#parts.push({ file, offset, first: this.#count, last: this.#count, bytes: 0 })
  }

  hasRoom(rows: number): boolean {
    return this.#count + rows <= this.#lengths.length
  }

  add({ count, prints, lengths }: RowBlock): void {
    const part = this.#parts.at(-1)!
    this.#prints.set(prints.subarray(0, 2 * count), 2 * this.#count)
    this.#lengths.set(lengths.subarray(0, count), this.#count)
    for (let row = 0; row < count; row++) part.bytes += lengths[row]!
    this.#count += count
    part.last = this.#count
  }

  /** Forgets the rows; what is added next follows them in the same file. */
  clear(): void {
    const { file, offset, bytes } = this.#parts.at(-1)!
    this.#parts = []
    this.#count = 0
    this.begin(file, offset + bytes)
  }
}
