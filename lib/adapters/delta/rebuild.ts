import { join } from 'node:path'
import { type LongshoreError, messageOf } from '../../domain/errors.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { type Derivation, listDerived } from '../../domain/row-delta-plan.ts'
import type { RebuiltFile as RebuiltReport } from '../relay/protocol.ts'
import { derive } from './derived-files.ts'
import type { HeldBytes } from './held-bytes.ts'
import type { Pace } from './pace.ts'
import { PREFIX_MOST, patchError, UNIT_MOST, WAY_CODES } from './patch-format.ts'
import type { PatchReader } from './patch-reader.ts'
import { RebuiltFile } from './rebuilt-file.ts'

export type RebuildOptions = {
  readonly reader: PatchReader
  readonly base: Manifest
  readonly held: HeldBytes
  readonly directory: string
  readonly manifest: Manifest
  /** Positions of the files that need not be made. */
  readonly whole: ReadonlySet<number>
  readonly pace: Pace
}

/** Files that may wait for the disk at a time. */
const MOST_SEALING = 4
const BUFFER_BYTES = 1024 * 1024

/** Follows the body of a patch, file after file. */
export class Rebuild {
  readonly #options: RebuildOptions
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  readonly #made = new Map<string, RebuiltFile>()
  readonly #derivations: ReadonlyMap<string, Derivation>
  readonly #sealing: Promise<void>[] = []
  #failure: unknown

  constructor(options: RebuildOptions) {
    const { clusters, model } = options.manifest
    this.#options = options
    this.#derivations = new Map(clusters.flatMap((shard) => listDerived(shard, model.dimensions)))
  }

  /** Makes all files; one result for each. Raises `corrupt` for a patch that is not one. */
  async run(): Promise<RebuiltReport[]> {
    const { reader, manifest } = this.#options
    try {
      while (!reader.isAtEnd) await this.#makeFile()
    } finally {
      await Promise.all(this.#sealing)
    }
    if (this.#failure !== undefined) throw this.#failure
    return manifest.files.map(({ path }) => {
      const made = this.#made.get(path)
      if (made) return { path, problem: made.problem }
      throw this.#lie(`says nothing of ${path}`)
    })
  }

  async #makeFile(): Promise<void> {
    const { reader, manifest, directory, whole } = this.#options
    const position = reader.number()
    const entry = manifest.files[position]
    if (!entry) throw this.#lie(`tells of file ${position} of ${manifest.files.length}`)
    if (this.#made.has(entry.path)) throw this.#lie(`tells of ${entry.path} twice`)
    const making = { buffer: this.#buffer, isNeeded: !whole.has(position) }
    const file = await RebuiltFile.create(join(directory, entry.path), entry, making)
    try {
      await this.#fill(file)
    } catch (error) {
      await file.abandon()
      throw error
    }
    this.#made.set(entry.path, file)
    await this.#seal(file)
  }

  /** Lets the disk take what was made while the next files are. */
  async #seal(file: RebuiltFile): Promise<void> {
    const sealed = file.seal().catch((error: unknown) => {
      this.#failure ??= error
    })
    this.#sealing.push(sealed)
    if (this.#sealing.length > MOST_SEALING) await this.#sealing.shift()
    if (this.#failure !== undefined) throw this.#failure
  }

  #fill(file: RebuiltFile): Promise<void> {
    const { reader, base } = this.#options
    const way = reader.number()
    if (way === WAY_CODES.bytes) return this.#takeNew(file, file.left)
    if (way === WAY_CODES.rows) return this.#takeRows(file)
    if (way === WAY_CODES.derived) return this.#takeDerived(file)
    if (way !== WAY_CODES.copy) throw this.#lie(`makes ${file.entry.path} in an unknown way (${way})`)
    const source = reader.number()
    if (base.files[source]?.bytes !== file.left) {
      throw this.#lie(`copies ${file.entry.path} from file ${source}, which is not as long`)
    }
    return this.#takeCopy(file, { source, offset: 0, bytes: file.left })
  }

  async #takeRows(file: RebuiltFile): Promise<void> {
    const { reader, base } = this.#options
    const { path } = file.entry
    const unit = reader.number()
    const prefix = reader.number()
    if (unit === 0 || unit > UNIT_MOST || prefix > Math.min(PREFIX_MOST, file.left)) {
      throw this.#lie(`says that ${path} has rows of ${unit} bytes after ${prefix}`)
    }
    await this.#takeNew(file, prefix)
    const next = new Map<number, number>()
    while (file.left > 0) {
      const told = reader.number()
      const bytes = Math.floor(told / 2) * unit
      if (bytes === 0 || bytes > file.left) {
        throw this.#lie(`has a run of ${bytes} bytes where ${path} lacks ${file.left}`)
      }
      if (told % 2 === 0) {
        await this.#takeNew(file, bytes)
        continue
      }
      const source = reader.number()
      const offset = (next.get(source) ?? prefix) + unit * fromZigzag(reader.number())
      const held = base.files[source]?.bytes ?? 0
      if (offset < 0 || offset + bytes > held) {
        throw this.#lie(`copies bytes ${offset} to ${offset + bytes} of file ${source}, which has ${held}`)
      }
      next.set(source, offset + bytes)
      await this.#takeCopy(file, { source, offset, bytes })
    }
  }

  async #takeNew(file: RebuiltFile, bytes: number): Promise<void> {
    const { reader, pace } = this.#options
    for (let left = bytes; left > 0; ) {
      const part = reader.take(file.room(left).length)
      file.room(part.length).set(part)
      file.advance(part.length)
      left -= part.length
      await pace.spend(part.length)
    }
  }

  /** A base that cannot be read spoils the file, not the others. */
  async #takeCopy(
    file: RebuiltFile,
    { source, offset, bytes }: { readonly source: number; readonly offset: number; readonly bytes: number },
  ): Promise<void> {
    const { held, pace } = this.#options
    for (let done = 0; done < bytes; ) {
      const room = file.room(bytes - done)
      try {
        if (file.isKept) held.read(source, offset + done, room)
      } catch (error) {
        file.problem = messageOf(error)
      }
      file.advance(room.length)
      done += room.length
      await pace.spend(room.length)
    }
  }

  async #takeDerived(file: RebuiltFile): Promise<void> {
    const { directory, pace } = this.#options
    const { path } = file.entry
    const derivation = this.#derivations.get(path)
    if (!derivation) throw this.#lie(`derives ${path}, which nothing can be derived for`)
    await Promise.all(this.#sealing)
    const source = this.#made.get(derivation.from)
    if (!source) throw this.#lie(`derives ${path} before ${derivation.from} is made`)
    if (source.problem !== null) file.problem = `is derived from ${derivation.from}, which is not right`
    if (!file.isKept) return
    for (const piece of derive(directory, derivation)) {
      if (piece.length > file.left) break
      for (let done = 0; done < piece.length; ) {
        const room = file.room(piece.length - done)
        room.set(piece.subarray(done, done + room.length))
        file.advance(room.length)
        done += room.length
      }
      await pace.spend(piece.length)
    }
    if (file.left > 0) file.problem = `cannot be derived from ${derivation.from}`
  }

  #lie(what: string): LongshoreError {
    return patchError(this.#options.reader.path, what)
  }
}

/** 0, -1, 1, -2, ... for 0, 1, 2, 3, ... */
function fromZigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}
