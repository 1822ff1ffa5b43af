import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { imageTypeOf } from '../../domain/content.ts'
import type { Input, RowBatch } from '../../ports/input.ts'
import { hasCode } from '../files/durable-files.ts'
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
  /** Links to what is no file of the directory. */
  readonly #strays: readonly string[]

  private constructor(root: string, paths: readonly string[]) {
    this.root = root
    const base = realpathSync(root)
    const { own = [], stray = [] } = Object.groupBy(paths, (path) =>
      isFileBelow(base, join(root, path)) ? 'own' : 'stray',
    )
    this.#paths = own
    this.#strays = stray
    this.rows = paths.length
    this.files = observeFiles(this.#paths.map((path) => join(root, path)))
  }

  /** Undefined where the directory holds neither text nor image. */
  static open(root: string): FilesInput | undefined {
    const paths = listContents(root)
    return paths.length === 0 ? undefined : new FilesInput(root, paths.sort())
  }

  async *read(signal: AbortSignal): AsyncIterable<RowBatch> {
    const builder = new BatchBuilder(null, { hasClusters: false })
    for (const path of this.#strays) {
      builder.reject(path, 'is a link to what is no file of this directory')
      if (builder.isFull) yield await builder.take(signal)
    }
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

/** Paths of texts and images; directories behind links are none of them, so that no link leads around for ever. */
function listContents(root: string, below = ''): string[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name)
    if (entry.isDirectory()) return listContents(root, path)
    return TEXTS.test(path) || imageTypeOf(path) !== undefined ? [path] : []
  })
}

function isFileBelow(base: string, path: string): boolean {
  try {
    const found = realpathSync(path)
    return found.startsWith(base + sep) && statSync(found).isFile()
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ELOOP')) return false
    throw error
  }
}
