import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { MANIFEST_FILE } from '../../domain/manifest.ts'
import type { Input } from '../../ports/input.ts'
import { createGalleryStore, GALLERY_FILE } from '../gallery-store/store.ts'
import { FilesInput } from './files.ts'
import { findRawFiles, roleOf, tagOf } from './find-raw.ts'
import { GenerationInput } from './generation.ts'
import { JsonlInput } from './jsonl.ts'
import { NpyInput } from './npy.ts'
import { RawInput } from './raw.ts'
import { ShardsInput } from './shards.ts'
import { SHARDS_FILE } from './shards-format.ts'
import type { InputOptions } from './source-files.ts'
import { SplitOutputInput } from './split-output.ts'

const FORMATS = [
  'manifest.json (a generation)',
  'gallery.sqlite (a gallery)',
  'clust_0/index, clust_0/sentences.json, clust_centers.npy (split output of the reference system)',
  'clusters_*.json, *_embeddings*.pkl, clusters_centers*.pkl (its raw input)',
  'embeddings.npy or vectors.npy, with items.jsonl',
  'one *.parquet',
  'one *.jsonl',
  '*.txt, *.md, *.jpg, *.png, *.webp at any depth',
]

/**
 * The input at a path, its format recognised by what lies there. Raises `not-found` where nothing does, `usage` where no
 * format or more than one fits, and `corrupt` where the files are damaged.
 */
export async function openInput(path: string, options: InputOptions = {}): Promise<Input> {
  if (!existsSync(path)) throw new LongshoreError('not-found', `${path}: no such file or directory`)
  return statSync(path).isDirectory() ? openDirectory(path, options) : openFile(path)
}

async function openDirectory(directory: string, { select }: InputOptions): Promise<Input> {
  const names = readdirSync(directory)
  if (names.includes(MANIFEST_FILE)) return new GenerationInput(directory)
  if (names.includes(GALLERY_FILE)) return await createGalleryStore(directory).read()
  if (names.includes(SHARDS_FILE)) return new ShardsInput(directory)
  if (names.some((name) => existsSync(join(directory, name, 'index')) && /^clust_\d+$/.test(name))) {
    return new SplitOutputInput(directory)
  }
  if (names.some((name) => roleOf(name))) return new RawInput(findRawFiles(directory, select))
  const vectors = ['embeddings.npy', 'vectors.npy'].find((name) => names.includes(name))
  if (vectors) return new NpyInput(join(directory, vectors))
  const single = names.filter((name) => /\.(parquet|jsonl)$/.test(name))
  if (single.length === 1) return openFile(join(directory, single[0]!))
  const files = single.length === 0 ? FilesInput.open(directory) : undefined
  if (files) return files
  throw unknownFormat(
    directory,
    single.length > 1 ? `holds ${single.join(', ')}: name one of them` : undefined,
  )
}

async function openFile(path: string): Promise<Input> {
  if (basename(path) === MANIFEST_FILE) return new GenerationInput(dirname(path))
  if (basename(path) === GALLERY_FILE) return await createGalleryStore(dirname(path)).read()
  if (roleOf(path)) return new RawInput(findRawFiles(dirname(path), tagOf(path)))
  if (path.endsWith('.npy')) return new NpyInput(path)
  if (path.endsWith('.parquet')) return (await import('./parquet.ts')).openParquet(path)
  if (/\.(jsonl|ndjson)$/.test(path)) return new JsonlInput(path)
  throw unknownFormat(path, undefined)
}

function unknownFormat(path: string, problem = 'is no known format'): LongshoreError {
  return new LongshoreError('usage', `${path}: ${problem}; looked for ${FORMATS.join('; ')}`, {
    hint: 'name a directory or a file of one of these formats',
  })
}
