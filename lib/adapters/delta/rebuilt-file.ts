import { createHash } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import type { FileEntry } from '../../domain/manifest.ts'
import { AppendedFile } from '../generations/appended-file.ts'

/** A name that no delivery takes for the beginning of a file. */
const SUFFIX = '.rebuild'

/**
 * A file that is made from its start to its end beside its name, and gets the name only when it is what the manifest
 * says. Once it has a problem, what is written to it is thrown away.
 */
export class RebuiltFile {
  problem: string | null
  readonly entry: FileEntry
  readonly #path: string
  readonly #hash = createHash('sha256')
  readonly #buffer: Buffer
  readonly #file: AppendedFile | undefined
  #filled = 0
  #left: number

  private constructor(path: string, entry: FileEntry, { buffer, isNeeded }: Making) {
    this.problem = null
    this.entry = entry
    this.#path = path
    this.#buffer = buffer
    this.#left = entry.bytes
    if (isNeeded) this.#file = new AppendedFile(path + SUFFIX)
  }

  static async create(path: string, entry: FileEntry, making: Making): Promise<RebuiltFile> {
    await rm(path + SUFFIX, { force: true })
    return new RebuiltFile(path, entry, making)
  }

  /** Bytes that are still to come. */
  get left(): number {
    return this.#left
  }

  /** Whether anything becomes of what is written. */
  get isKept(): boolean {
    return this.#file !== undefined && this.problem === null
  }

  /** Where the next bytes are to be put, at least one and at most `most`; then `advance`. */
  room(most: number): Buffer {
    return this.#buffer.subarray(this.#filled, this.#filled + Math.min(most, this.#left))
  }

  /** Takes bytes that were put where there was room. */
  advance(bytes: number): void {
    this.#filled += bytes
    this.#left -= bytes
    if (this.#filled === this.#buffer.length || this.#left === 0) this.#flush()
  }

  /** Gives the file its name when all is on the disk, or removes it. The buffer is free at once. */
  async seal(): Promise<void> {
    if (!this.#file) return
    await this.#file.close()
    const found = this.#hash.digest('hex')
    const { sha256 } = this.entry
    if (found !== sha256) this.problem ??= `came out with sha-256 ${found}, the manifest says ${sha256}`
    if (this.problem === null) await rename(this.#path + SUFFIX, this.#path)
    else await rm(this.#path + SUFFIX, { force: true })
  }

  /** Removes what was written. */
  async abandon(): Promise<void> {
    await this.#file?.close()
    await rm(this.#path + SUFFIX, { force: true })
  }

  #flush(): void {
    const data = this.#buffer.subarray(0, this.#filled)
    this.#filled = 0
    if (!this.isKept) return
    this.#hash.update(data)
    this.#file?.append(data)
  }
}

/** `buffer` may be lent to the next file once this one is sealed; a file that is not needed takes all and keeps nothing. */
export type Making = { readonly buffer: Buffer; readonly isNeeded: boolean }
