import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { LongshoreError, messageOf } from '../domain/errors.ts'
import type { ShardsFile, SourceShard } from '../domain/shards-file.ts'
import { parseYaml } from './load.ts'

const address = z.url({ protocol: /^https?$/ })
const seconds = z
  .string()
  .regex(/^\d+(ms|s|m)$/, 'expected a time, for example 30s')
  .transform(
    (text) => Number.parseInt(text, 10) * { ms: 1, s: 1000, m: 60_000 }[/[a-z]+$/.exec(text)![0] as 's'],
  )

const shard = z.strictObject({
  master: address,
  slaves: z.array(address).default([]),
  // As older files of FindFace have it.
  slave: z.union([z.literal(''), address]).optional(),
})

const storage = z.strictObject({
  timeouts: z
    .strictObject({
      connect: seconds.default(5_000),
      overall: seconds.default(35_000),
      response_header: seconds.optional(),
      idle_connection: seconds.optional(),
    })
    .prefault({}),
  'max-idle-conns-per-host': z.int().optional(),
  shards: z.array(shard).min(1),
})

const pages = z.int().min(1)
const schema = z.strictObject({
  'storage-api-from': storage,
  'storage-api-to': storage.optional(),
  workers_num: z.int().min(1).max(64).default(3),
  objects_limit: pages.optional(),
  faces_limit: pages.optional(),
  extraction_batch_size: z.int().optional(),
  'extraction-api': z.unknown().optional(),
  normalized_storage: z.unknown().optional(),
})

const HINT = 'docs/operations.md, "From another fleet", shows such a file'
/** Keys that FindFace has, and where the same is said here. */
const ELSEWHERE = {
  'extraction-api': 'the model of the profile that --model names',
  extraction_batch_size: 'extraction.batchItems of that model',
  normalized_storage: '--files DIRECTORY',
} as const

/** A file in the shape of FindFace's migration. Raises `usage` naming file, line and key. */
export async function loadShardsFile(file: string): Promise<ShardsFile> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new LongshoreError('usage', `cannot read ${file}: ${messageOf(error)}`, { hint: HINT })
  })
  return parseShardsFile(text, file)
}

/** As {@link loadShardsFile}, from a text. */
export function parseShardsFile(text: string, file: string): ShardsFile {
  const { value, locate } = parseYaml(text, schema, { file, whole: 'the file', hint: HINT })
  const listShards = (key: 'storage-api-from' | 'storage-api-to'): SourceShard[] =>
    (value[key]?.shards ?? []).map(({ master, slaves, slave }, index) => ({
      where: locate([key, 'shards', index, 'master']),
      addresses: [master, ...slaves, ...(slave ? [slave] : [])],
    }))
  const [from, to] = [listShards('storage-api-from'), listShards('storage-api-to')]
  refuseTwice([...from, ...to])
  const { connect, overall } = value['storage-api-from'].timeouts
  const ignored = Object.entries(ELSEWHERE).filter(
    ([key]) => value[key as keyof typeof ELSEWHERE] !== undefined,
  )
  return {
    ...{ from, to, connectMs: connect, overallMs: overall, workers: value.workers_num },
    pageRows: value.objects_limit ?? value.faces_limit,
    notes: ignored.map(([key, place]) => `${locate([key])}: not used; ${place} says it`),
  }
}

/** An address serves one shard, and never both sides. */
function refuseTwice(shards: readonly SourceShard[]): void {
  const known = new Map<string, string>()
  for (const { where, addresses } of shards) {
    for (const each of addresses) {
      const { host } = new URL(each)
      const other = known.get(host)
      if (other !== undefined) {
        throw new LongshoreError('usage', `${where}: ${host} is an address of ${other} already`, {
          hint: HINT,
        })
      }
      known.set(host, where)
    }
  }
}
