import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { digestOf } from '../../domain/canonical-json.ts'

/** The fingerprint of an ONNX model that declares none: the digest of its files' paths and contents. */
export async function digestModel(directory: string): Promise<string> {
  const files: [string, string][] = []
  for (const path of await listModelFiles(directory))
    files.push([path, await digestFile(join(directory, path))])
  return digestOf(Object.fromEntries(files))
}

/** Paths of the files that make a model what it is, in order: hidden files and `*.md` are none of them. */
export async function listModelFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter((path) => !path.endsWith('.md') && !/(^|\/)\./.test(path))
    .sort()
}

async function digestFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(path)) hash.update(part as Buffer)
  return hash.digest('hex')
}
