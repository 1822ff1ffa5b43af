import { readFile } from 'node:fs/promises'
import type { Fleet } from './fleet.ts'

/** A shard as a configuration in FindFace's shape names it. */
export type Shard = { readonly master: string; readonly slaves: string[] }

/** The index services of a fleet as such a configuration names them. */
export async function listShards(fleet: Fleet): Promise<Shard[]> {
  const endpoints = JSON.parse(await readFile(fleet.path('state', 'endpoints.json'), 'utf8')) as Record<
    string,
    string[]
  >
  return Object.entries(endpoints)
    .filter(([name]) => name.startsWith('index_'))
    .map(([, [master = '', ...slaves]]) => ({ master, slaves }))
}
