import { join } from 'node:path'
import { type LongshoreError, messageOf } from '../../domain/errors.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { type Derivation, listDerived } from '../../domain/row-delta-plan.ts'
import type { RebuiltFile as RebuiltReport } from '../relay/protocol.ts'
import { derive } from './derived-files.ts'
import type { HeldBytes } from './held-bytes.ts'
import type { Pace } from './pace.ts'
import { patchError, WAY_CODES } from './patch-format.ts'
import type { PatchReader } from './patch-reader.ts'
import { PatchRuns, type Run } from './patch-runs.ts'
import { RebuiltFile } from './rebuilt-file.ts'
import { WriteLane } from './write-lane.ts'

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

/** Follows the body of a patch, file after file. */
export class Rebuild {
  readonly #options: RebuildOptions
  readonly #lane = new WriteLane()
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
    const making = { lane: this.#lane, isNeeded: !whole.has(position) }
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
    return this.#takeCopy(file, source)
  }

  async #takeRows(file: RebuiltFile): Promise<void> {
    const { reader, base } = this.#options
    const runs = new PatchRuns(reader, base, { path: file.entry.path, bytes: file.left })
    await this.#takeNew(file, runs.prefix)
    let run: Run = { bytes: 0, source: undefined }
    await this.#take(file, file.left, (room) => {
      if (run.bytes === 0) run = runs.read(file.left)
      const { bytes, source } = run
      const part = room.subarray(0, bytes)
      const put = source ? this.#putHeld(file, source, part) : this.#putNew(part)
      run = { bytes: bytes - put, source: source && { file: source.file, offset: source.offset + put } }
      return put
    })
  }

  #takeNew(file: RebuiltFile, bytes: number): Promise<void> {
    return this.#take(file, bytes, (room) => this.#putNew(room))
  }

  #takeCopy(file: RebuiltFile, source: number): Promise<void> {
    let offset = 0
    return this.#take(file, file.left, (room) => {
      const put = this.#putHeld(file, { file: source, offset }, room)
      offset += put
      return put
    })
  }

  async #takeDerived(file: RebuiltFile): Promise<void> {
    const { path } = file.entry
    const derivation = this.#derivations.get(path)
    if (!derivation) throw this.#lie(`derives ${path}, which nothing can be derived for`)
    await Promise.all(this.#sealing)
    const source = this.#made.get(derivation.from)
    if (!source) throw this.#lie(`derives ${path} before ${derivation.from} is made`)
    if (source.problem !== null) file.problem = `is derived from ${derivation.from}, which is not right`
    if (!file.isKept) return
    const pieces = derive(this.#options.directory, derivation)
    let piece = new Uint8Array()
    try {
      await this.#take(file, file.left, (room) => {
        if (piece.length === 0) piece = pieces.next().value ?? new Uint8Array()
        if (piece.length === 0) file.problem = `cannot be derived from ${derivation.from}`
        if (!file.isKept) return room.length
        const part = piece.subarray(0, room.length)
        room.set(part)
        piece = piece.subarray(part.length)
        return part.length
      })
    } finally {
      pieces.return(undefined)
    }
  }

  /** Lets `put` fill the next `bytes` of a file, as often as it takes; it returns how much of the room it has filled. */
  async #take(file: RebuiltFile, bytes: number, put: (room: Buffer) => number): Promise<void> {
    for (let left = bytes; left > 0; ) {
      const filled = put(file.room(left))
      left -= filled
      if (!file.advance(filled)) continue
      await file.flush()
      await this.#options.pace.turn()
    }
  }

  #putNew(room: Buffer): number {
    const part = this.#options.reader.take(room.length)
    room.set(part)
    return part.length
  }

  /** A base that cannot be read spoils the file, not the others. */
  #putHeld(file: RebuiltFile, source: NonNullable<Run['source']>, room: Buffer): number {
    try {
      if (file.isKept) this.#options.held.read(source.file, source.offset, room)
    } catch (error) {
      file.problem = messageOf(error)
    }
    return room.length
  }

  #lie(what: string): LongshoreError {
    return patchError(this.#options.reader.path, what)
  }
}
