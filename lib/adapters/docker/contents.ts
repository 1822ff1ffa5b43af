import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { ImageSource } from '../../ports/image-store.ts'

/** Digits that tell two contents apart and can still be read out loud. */
const DIGITS = 12

/**
 * The digest of everything that decides what an image contains: the recipe, the files that `.dockerignore` lets through,
 * and the source it is built on. 12 hex digits of a SHA-256.
 */
export async function digestContents(root: string, source: ImageSource): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(describeSource(source)))
  for (const file of await listFiles(root)) {
    const bytes = await readFile(join(root, file))
    hash.update(`\n${file} ${bytes.length}\n`).update(bytes)
  }
  return hash.digest('hex').slice(0, DIGITS)
}

/** The digest of the packages of this machine and its Node.js, which change less often than the services. */
export async function digestPackages(root: string): Promise<string> {
  const lock = await readFile(join(root, 'package-lock.json'))
  const hash = createHash('sha256').update(JSON.stringify(describeSource({ kind: 'machine' })))
  return hash.update(lock).digest('hex').slice(0, DIGITS)
}

/** Whether a path within a package is a binary for another platform than this one, which an image need not carry. */
export function isForeignBinary(path: string): boolean {
  const [, platform, arch] = /\/onnxruntime-node\/bin\/napi-v\d+\/([^/]+)(?:\/([^/]+))?/.exec(path) ?? []
  const isOwn = platform === process.platform && (arch === undefined || arch === process.arch)
  return platform !== undefined && !isOwn
}

function describeSource(source: ImageSource): unknown {
  if (source.kind === 'base') return source
  // What is taken of this machine: another number where that becomes more, for a base that is there is not made again.
  return [source.kind, 2, process.version, process.platform, process.arch]
}

async function listFiles(root: string): Promise<string[]> {
  const ignored = await readFile(join(root, '.dockerignore'), 'utf8')
  const allowed = ignored.split('\n').flatMap((line) => (line.startsWith('!') ? [line.slice(1).trim()] : []))
  const found = await Promise.all(allowed.map((path) => listBelow(root, path)))
  return ['Dockerfile', ...found.flat()].sort()
}

async function listBelow(root: string, path: string): Promise<string[]> {
  try {
    const entries = await readdir(join(root, path), { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw error
    return [path]
  }
}
