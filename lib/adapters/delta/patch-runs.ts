import type { Manifest } from '../../domain/manifest.ts'
import { PREFIX_MOST, patchError, UNIT_MOST } from './patch-format.ts'
import type { PatchReader } from './patch-reader.ts'

/** Bytes of a file that follow each other, from `offset` of a file of the base, or from the patch itself. */
export type Run = {
  readonly bytes: number
  readonly source: { readonly file: number; readonly offset: number } | undefined
}

/** The runs that make the rows of one file. */
export class PatchRuns {
  /** Bytes before the first row; they come first, from the patch. */
  readonly prefix: number
  readonly #reader: PatchReader
  readonly #base: Manifest
  readonly #path: string
  readonly #unit: number
  /** Where the run after the last one of each base file would begin. */
  readonly #next = new Map<number, number>()

  /** `path` and `bytes` are those of the file to be made. Raises `corrupt`. */
  constructor(
    reader: PatchReader,
    base: Manifest,
    { path, bytes }: { readonly path: string; readonly bytes: number },
  ) {
    this.#reader = reader
    this.#base = base
    this.#path = path
    this.#unit = reader.number()
    this.prefix = reader.number()
    if (this.#unit === 0 || this.#unit > UNIT_MOST || this.prefix > Math.min(PREFIX_MOST, bytes)) {
      throw patchError(reader.path, `says that ${path} has rows of ${this.#unit} bytes after ${this.prefix}`)
    }
  }

  /** The next run of a file that lacks `left` bytes. Raises `corrupt`. */
  read(left: number): Run {
    const told = this.#reader.number()
    const bytes = Math.floor(told / 2) * this.#unit
    if (bytes === 0 || bytes > left) {
      throw patchError(this.#reader.path, `has a run of ${bytes} bytes where ${this.#path} lacks ${left}`)
    }
    return { bytes, source: told % 2 === 0 ? undefined : this.#readSource(bytes) }
  }

  #readSource(bytes: number): Run['source'] {
    const file = this.#reader.number()
    const skipped = fromZigzag(this.#reader.number())
    const offset = (this.#next.get(file) ?? this.prefix) + this.#unit * skipped
    const held = this.#base.files[file]?.bytes ?? 0
    if (offset < 0 || offset + bytes > held) {
      const range = `bytes ${offset} to ${offset + bytes} of file ${file}`
      throw patchError(this.#reader.path, `copies ${range}, which has ${held}`)
    }
    this.#next.set(file, offset + bytes)
    return { file, offset }
  }
}

/** 0, -1, 1, -2, ... for 0, 1, 2, 3, ... */
function fromZigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}
