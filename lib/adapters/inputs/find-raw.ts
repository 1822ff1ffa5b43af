import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'

/** The files of one generation of raw input. Without a listing of clusters there are no clusters. */
export type RawFiles = {
  readonly embeddings: string
  readonly given: { readonly clusters: string; readonly centres: string } | undefined
}

type Role = 'clusters' | 'centres' | 'embeddings'

/** Which part of a raw input a file is, by its name; undefined for any other file. */
export function roleOf(path: string): Role | undefined {
  const name = basename(path).toLowerCase()
  if (/^clusters.*\.json$/.test(name)) return 'clusters'
  if (/cent.*\.pkl$/.test(name)) return 'centres'
  return /embeddings.*\.pkl$/.test(name) ? 'embeddings' : undefined
}

/**
 * The raw input in a directory, or the one that a file in it belongs to. Raises `usage` where there are several and
 * none is selected, and `not-found` where a part is missing.
 */
export function findRawFiles(directory: string, select: string | undefined): RawFiles {
  const groups = groupFiles(directory)
  const tag = chooseTag(directory, [...groups.keys()], select)
  const group = groups.get(tag)!
  const embeddings = takeOnly(directory, group, 'embeddings')
  if (!embeddings) throw missing(directory, tag, '*_embeddings*.pkl')
  const clusters = takeOnly(directory, group, 'clusters')
  if (!clusters) return { embeddings, given: undefined }
  const centres = takeOnly(directory, group, 'centres')
  if (!centres) throw missing(directory, tag, 'clusters_centers*.pkl')
  return { embeddings, given: { clusters, centres } }
}

/** The generation that a file name tells, for example `dg1`; empty where it tells none. */
export function tagOf(path: string): string {
  const number = /dg_?(\d+)/i.exec(basename(path))?.[1]
  return number === undefined ? '' : `dg${number}`
}

function groupFiles(directory: string): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const name of readdirSync(directory).sort()) {
    if (!roleOf(name)) continue
    const tag = tagOf(name)
    groups.set(tag, [...(groups.get(tag) ?? []), name])
  }
  return groups
}

function chooseTag(directory: string, tags: string[], select: string | undefined): string {
  const wanted = select?.replace(/^dg_/, 'dg')
  if (wanted !== undefined) {
    if (tags.includes(wanted)) return wanted
    throw new LongshoreError('not-found', `${directory}: holds no ${wanted}, only ${tags.join(', ')}`)
  }
  if (tags.length === 1) return tags[0]!
  throw new LongshoreError('usage', `${directory}: holds several generations: ${tags.join(', ')}`, {
    hint: 'name the embeddings file of the one that is meant',
  })
}

function takeOnly(directory: string, names: readonly string[], role: Role): string | undefined {
  const found = names.filter((name) => roleOf(name) === role)
  if (found.length > 1) {
    throw new LongshoreError('usage', `${directory}: expected one file of ${role}, found ${found.join(', ')}`)
  }
  return found[0] === undefined ? undefined : join(directory, found[0])
}

function missing(directory: string, tag: string, pattern: string): LongshoreError {
  const of = tag ? ` of ${tag}` : ''
  return new LongshoreError('not-found', `${directory}: no ${pattern}${of} beside the other files`)
}
