import { createHash } from 'node:crypto'
import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { renderGolden } from '../../domain/golden.ts'
import {
  CENTROIDS_FILE,
  type FileEntry,
  GOLDEN_FILE,
  MANIFEST_FILE,
  type Manifest,
  shardDirectory,
} from '../../domain/manifest.ts'
import type { GateContext } from '../../ports/generation-store.ts'
import type {
  DraftSpec,
  GenerationDraft,
  Measured,
  MeasureRequest,
  PreparedRows,
  Sealed,
} from '../../ports/generation-writer.ts'
import { hasCode, syncDirectory } from '../files/durable-files.ts'
import { AppendedFile } from './appended-file.ts'
import { renderCentroids } from './centroids.ts'
import { explainDiskError } from './disk-error.ts'
import { measureDraft } from './measure-draft.ts'
import { REJECTS_FILE } from './partial.ts'
import type { Workers, WorkThread } from './workers.ts'

/** Batches that may wait for the writing thread: it never idles, and memory stays small. */
const MOST_WAITING = 4

export type DraftOptions = DraftSpec & {
  /** The directory of all generations. */
  readonly root: string
  /** The directory of this one while it is being made; it exists and is empty. */
  readonly directory: string
  /** Stopped when the draft is published or discarded. */
  readonly workers: Workers
}

/** A generation that is being made: rows go to a thread that writes them, everything else is done here. */
export class Draft implements GenerationDraft {
  readonly #options: DraftOptions
  readonly #workers: Workers
  readonly #thread: WorkThread
  readonly #waiting: Promise<unknown>[] = []
  readonly #files: FileEntry[] = []
  #failure: unknown
  #written: Sealed = { clusters: [], rejects: 0 }
  readonly #closing: Promise<unknown>[] = []
  #isPublished = false

  constructor(options: DraftOptions) {
    this.#options = options
    const { directory, model, clusters, borderShare } = options
    this.#workers = options.workers
    this.#thread = this.#workers.all[0]
    this.#waiting.push(this.#watch(this.#thread.call('begin', { directory, model, clusters, borderShare })))
  }

  async append({ recycle, ...rows }: PreparedRows): Promise<void> {
    const { vectors, items } = rows
    // The memory of texts stays with the input.
    const own = 'lines' in items ? [vectors, items.lines, items.lineEnds] : [vectors, items.repetitions]
    const buffers = own.map(({ buffer }) => buffer)
    const owned = buffers.filter((buffer) => buffer instanceof ArrayBuffer)
    this.#waiting.push(this.#watch(this.#thread.call('append', rows, owned).then(recycle)))
    if (this.#waiting.length > MOST_WAITING) await this.#waiting.shift()
    this.#throwFailure()
  }

  async seal(): Promise<Sealed> {
    await Promise.all(this.#waiting)
    this.#throwFailure()
    this.#written = await this.#thread.call('finish')
    this.#closing.push(this.#watch(this.#thread.call('close')))
    const { clusters, model } = this.#options
    this.#writeFile(CENTROIDS_FILE, renderCentroids(clusters.centroids, model.dimensions))
    return this.#written
  }

  async measure(request: MeasureRequest, context: GateContext): Promise<Measured> {
    const { directory, model, clusters } = this.#options
    const draft = { directory, model, clusters: this.#written.clusters, centroids: clusters.centroids }
    const { files, golden, ...measured } = await measureDraft(draft, request, context, this.#workers)
    this.#writeFile(GOLDEN_FILE, Buffer.from(renderGolden(golden)))
    return { ...measured, golden, files: [...this.#files, ...files] }
  }

  async publish(manifest: Manifest): Promise<void> {
    const { root, directory, generation } = this.#options
    await this.#finishWriting()
    await this.#workers.stop()
    this.#writeFile(MANIFEST_FILE, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`))
    await this.#finishWriting()
    await this.#keepRejects()
    for (const { id } of this.#written.clusters) await syncDirectory(join(directory, shardDirectory(id)))
    await syncDirectory(directory)
    try {
      await rename(directory, join(root, generation))
    } catch (error) {
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error
      throw new LongshoreError('usage', `${generation} was made by somebody else meanwhile`, {
        hint: 'run the same command again, it takes the next number',
      })
    }
    this.#isPublished = true
    await syncDirectory(root)
  }

  async discard({ keepRejects }: { readonly keepRejects: boolean }): Promise<void> {
    if (this.#isPublished) return
    await this.#workers.stop()
    if (keepRejects) await this.#keepRejects()
    await rm(this.#options.directory, { recursive: true, force: true })
  }

  /** Puts the list of rejects beside the generation's final place; an empty one removes that of a former run. */
  async #keepRejects(): Promise<void> {
    const { root, directory, generation } = this.#options
    const kept = join(root, `${generation}.rejects.jsonl`)
    const written = join(directory, REJECTS_FILE)
    const { size } = await stat(written)
    if (size > 0) return rename(written, kept)
    await rm(written)
    await rm(kept, { force: true })
  }

  /** Writes a small file; it goes to the disk together with all others, because each wait takes them all there. */
  #writeFile(path: string, contents: Uint8Array): void {
    try {
      const file = new AppendedFile(join(this.#options.directory, path))
      file.append(contents)
      this.#closing.push(this.#watch(file.close()))
    } catch (error) {
      throw explainDiskError(error)
    }
    const sha256 = createHash('sha256').update(contents).digest('hex')
    this.#files.push({ path, bytes: contents.length, sha256 })
  }

  async #finishWriting(): Promise<void> {
    await Promise.all(this.#closing)
    this.#throwFailure()
  }

  /** Remembers the failure of a call that nothing waits for yet. */
  #watch(call: Promise<unknown>): Promise<unknown> {
    return call.catch((error: unknown) => {
      this.#failure ??= explainDiskError(error)
    })
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}
