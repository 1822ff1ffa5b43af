import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { imageTypeOf } from '../../domain/content.ts'
import type { Input, RowBatch } from '../../ports/input.ts'
import { BatchBuilder } from './batch.ts'
import { observeFiles } from './source-files.ts'

const TEXTS = /\.(txt|md)$/i

/** A directory of texts and images, at any depth: an item for each, whose id is its path there. */
export class FilesInput implements Input {
  readonly kind = 'files'
  readonly files: Input['files']
  readonly rows: number
  readonly dimensions = null
  readonly clusters = null
  readonly root: string
  readonly #paths: readonly string[]

  private constructor(root: string, paths: readonly string[]) {
    this.root = root
    this.#paths = paths
    this.rows = paths.length
    this.files = observeFiles(paths.map((path) => join(root, path)))
  }

  /** Undefined where the directory holds neither text nor image. */
  static open(root: string): FilesInput | undefined {
    const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (path) => TEXTS.test(path) || imageTypeOf(path) !== undefined,
    )
    return paths.length === 0 ? undefined : new FilesInput(root, paths.sort())
  }

  async *read(signal: AbortSignal): AsyncIterable<RowBatch> {
    const builder = new BatchBuilder(null, { hasClusters: false })
    for (const path of this.#paths) {
      builder.add(
        TEXTS.test(path)
          ? { id: path, text: readFileSync(join(this.root, path), 'utf8').trim() }
          : { id: path, file: path },
      )
      if (builder.isFull) yield await builder.take(signal)
    }
    if (!builder.isEmpty) yield await builder.take(signal)
  }
}
