import { createHash, type Hash } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { NEXT_HEADER, type ShardSummary, USUAL_PAGE_ROWS } from '../../domain/shard-export.ts'
import type { Carried } from '../../ports/archives.ts'
import type { FleetGallery } from '../../ports/shard-source.ts'
import { hasCode, syncDirectory, writeDurably } from '../files/durable-files.ts'
import { explainDiskError } from '../generations/disk-error.ts'
import { readFileEntry } from '../generations/layout.ts'
import { checkSpace, partialName, removeStale } from '../generations/partial.ts'
import { renderShardsFile, SHARDS_FILE, shardItemsFile } from '../inputs/shards-format.ts'
import type { ShardClient } from './shard-client.ts'

export type FetchOptions = Carried & {
  readonly clients: readonly ShardClient[]
  readonly directory: string
  readonly workers: number
  readonly pageRows: number | undefined
}

/** Brings the items of all shards below a directory, each held against its hash, and says in the end that they are there. */
export async function fetchShards(gallery: FleetGallery, options: FetchOptions): Promise<void> {
  const { directory, clients, workers } = options
  const total = gallery.shards.reduce((sum, { bytes }) => sum + bytes, 0)
  await mkdir(directory, { recursive: true })
  await removeStale(directory)
  await checkSpace(directory, total)
  const onBytes = (bytes: number) => options.onBytes(bytes, total)
  const waiting = gallery.shards.map((shard, index) => ({ shard, client: clients[index]! }))
  const failures: unknown[] = []
  const work = async () => {
    for (let next = waiting.shift(); next && failures.length === 0; next = waiting.shift()) {
      await fetchShard(next.shard, { ...options, client: next.client, onBytes }).catch((error: unknown) => {
        failures.push(error)
      })
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
  if (failures.length > 0) throw explainDiskError(failures[0])
  await writeDurably(join(directory, SHARDS_FILE), renderShardsFile(gallery))
}

type ShardOptions = Omit<FetchOptions, 'onBytes'> & {
  readonly client: ShardClient
  readonly onBytes: (bytes: number) => void
}

async function fetchShard(shard: ShardSummary, options: ShardOptions): Promise<void> {
  const { directory, client, onBytes } = options
  const name = shardItemsFile(shard.cluster)
  if (await isThere(directory, name, shard)) return onBytes(shard.bytes)
  const beside = join(directory, partialName(name))
  try {
    await using file = await open(beside, 'w', 0o600)
    const hash = createHash('sha256')
    for await (const page of readPages(shard, options)) {
      await file.writeFile(page)
      hash.update(page)
      onBytes(page.length)
    }
    prove(hash, shard, client.where)
    await file.sync()
    await rename(beside, join(directory, name))
    await syncDirectory(directory)
  } finally {
    await rm(beside, { force: true })
  }
}

async function isThere(directory: string, name: string, { bytes, sha256 }: ShardSummary): Promise<boolean> {
  const found = await readFileEntry(directory, name).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  })
  return found?.bytes === bytes && found.sha256 === sha256
}

/** The lines of a shard, page by page; whoever answers next goes on where the last one ended. */
async function* readPages(
  { generation, digest, rows }: ShardSummary,
  { client, signal, pageRows = USUAL_PAGE_ROWS }: ShardOptions,
): AsyncGenerator<Buffer> {
  for (let from = 0; from < rows; ) {
    const path = `/v1/export/${encodeURIComponent(generation)}/items?from=${from}&limit=${pageRows}`
    const { body, headers } = await client.get(path, { signal, digest })
    yield body
    const next = Number(headers[NEXT_HEADER] ?? rows)
    if (!(next > from)) throw refuse(client.where, `tells ${headers[NEXT_HEADER]} as the row after ${from}`)
    from = next
  }
}

function prove(hash: Hash, { cluster, sha256, generation }: ShardSummary, where: string): void {
  const found = hash.digest('hex')
  if (found === sha256) return
  throw refuse(
    where,
    `the items of cluster ${cluster} of ${generation} have the SHA-256 ${found}, expected ${sha256}`,
  )
}

function refuse(where: string, problem: string): LongshoreError {
  return new LongshoreError('corrupt', `${where}: ${problem}`, {
    hint: 'verify.mjs --repair in that fleet mends its copies',
  })
}
