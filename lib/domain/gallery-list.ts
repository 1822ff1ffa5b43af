import { LongshoreError } from './errors.ts'
import type { FileEntry } from './manifest.ts'

/** Names a list of the files that the items of a generation stand for, in an archive, and the directory that these are in. */
export const GALLERY_FILE = 'gallery.json'
export const GALLERY_DIRECTORY = 'gallery'

const FORMAT = 'longshore-gallery/1'

/** A list of files as the text of `gallery.json`; `digest` is that of the generation. */
export function renderGalleryList(digest: string, files: readonly FileEntry[]): string {
  return `${JSON.stringify({ format: FORMAT, digest, files })}\n`
}

/** The files of a list, which is that of the generation with this digest. Raises `corrupt` naming what is wrong. */
export function parseGalleryList(
  text: string,
  { name, digest }: { readonly name: string; readonly digest: string },
): FileEntry[] {
  const fail = (problem: string) => new LongshoreError('corrupt', `${name}: ${problem}`)
  const list = parseJson(text, fail) as Partial<Record<'format' | 'digest' | 'files', unknown>> | null
  if (list?.format !== FORMAT || !Array.isArray(list.files)) throw fail(`is no list of the format ${FORMAT}`)
  if (list.digest !== digest) throw fail(`is of ${list.digest}, expected ${digest}`)
  const wrong = list.files.findIndex((file) => !isEntry(file))
  if (wrong >= 0) throw fail(`files[${wrong}]: expected a path below the directory, bytes and sha256`)
  const files = list.files as FileEntry[]
  const paths = new Set(files.map(({ path }) => path))
  const taken = files.find(({ path }) => listAbove(path).some((above) => paths.has(above)))
  if (paths.size === files.length && !taken) return files
  throw fail(`${taken ? `${taken.path} is below a file` : 'has a path twice'}`)
}

/** Whether a path leads to a place below the directory that it is relative to, and is written in one way only. */
export function isPathBelow(path: string): boolean {
  return !path.includes('\0') && path.split('/').every((name) => name !== '' && name !== '.' && name !== '..')
}

function isEntry(file: unknown): file is FileEntry {
  const { path, bytes, sha256 } = (file ?? {}) as Partial<Record<keyof FileEntry, unknown>>
  const isSize = Number.isSafeInteger(bytes) && Number(bytes) >= 0
  return typeof path === 'string' && isPathBelow(path) && isSize && /^[0-9a-f]{64}$/.test(String(sha256))
}

/** The directories that a path leads through. */
function listAbove(path: string): string[] {
  const names = path.split('/')
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join('/'))
}

function parseJson(text: string, fail: (problem: string) => Error): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw fail(`is no JSON (${(error as Error).message})`)
  }
}
