import { createHash } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import type { FileEntry } from '../../domain/manifest.ts'
import { AppendedFile } from '../generations/appended-file.ts'
import type { WriteLane } from './write-lane.ts'

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
  readonly #lane: WriteLane
  readonly #file: AppendedFile | undefined
  #filled = 0
  #left: number

  private constructor(path: string, entry: FileEntry, { lane, isNeeded }: Making) {
    this.problem = null
    this.entry = entry
    this.#path = path
    this.#lane = lane
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
    return this.#lane.buffer.subarray(this.#filled, this.#filled + Math.min(most, this.#left))
  }

  /** Takes bytes that were put where there was room; true where `flush` has to come next. */
  advance(bytes: number): boolean {
    this.#filled += bytes
    this.#left -= bytes
    return this.#filled === this.#lane.buffer.length || this.#left === 0
  }

  /** Makes room. Raises what the system raised for what was written before. */
  async flush(): Promise<void> {
    const data = this.#lane.buffer.subarray(0, this.#filled)
    this.#filled = 0
    const file = this.#file
    if (!file || !this.isKept) return
    const passed = this.#lane.pass(data.length, (data) => file.appendBeside(data))
    this.#hash.update(data)
    await passed
  }

  /** Gives the file its name when all is on the disk, or removes it. */
  async seal(): Promise<void> {
    if (!this.#file) return
    try {
      await this.#lane.finish()
    } catch (error) {
      await this.abandon()
      throw error
    }
    await this.#file.close()
    const found = this.#hash.digest('hex')
    const { sha256 } = this.entry
    if (found !== sha256) this.problem ??= `came out with sha-256 ${found}, the manifest says ${sha256}`
    if (this.problem === null) await rename(this.#path + SUFFIX, this.#path)
    else await rm(this.#path + SUFFIX, { force: true })
  }

  /** Removes what was written. */
  async abandon(): Promise<void> {
    // What it is abandoned for is raised already.
    await Promise.allSettled([this.#lane.finish()])
    await Promise.allSettled([this.#file?.close()])
    await rm(this.#path + SUFFIX, { force: true })
  }
}

/** `lane` serves one file after the other; a file that is not needed takes all and keeps nothing. */
export type Making = { readonly lane: WriteLane; readonly isNeeded: boolean }
