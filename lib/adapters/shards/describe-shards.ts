import { LongshoreError } from '../../domain/errors.ts'
import { isShardSummary, type ShardSummary } from '../../domain/shard-export.ts'
import type { FleetGallery } from '../../ports/shard-source.ts'
import type { ShardClient } from './shard-client.ts'

type Known = { readonly generation: string; readonly signal: AbortSignal }
type Ref = { readonly name: string; readonly digest: string }

/** What shards tell of a generation, held against each other, as `ShardSource.describe` says. */
export async function describeShards(
  clients: readonly ShardClient[],
  { generation, signal }: Known,
): Promise<FleetGallery> {
  const path = `/v1/export/${encodeURIComponent(generation)}`
  const shards = await Promise.all(clients.map(async (client) => readSummary(client, path, signal)))
  const [first] = shards
  if (!first) throw new LongshoreError('usage', 'no shards are named')
  const whereOf = (index: number) => clients[index]!.where
  for (const [index, { digest, cluster, total }] of shards.entries()) {
    if (digest !== first.digest || total !== first.total) {
      const message = `${whereOf(index)}: holds ${generation} as ${digest} with ${total} objects, ${whereOf(0)} as ${first.digest} with ${first.total}`
      throw new LongshoreError('corrupt', message, { hint: 'name shards of one fleet' })
    }
    const other = shards.findIndex((shard) => shard.cluster === cluster)
    if (other === index) continue
    throw new LongshoreError(
      'usage',
      `${whereOf(index)}: serves cluster ${cluster}, as ${whereOf(other)} does`,
      {
        hint: 'copies of a shard are its slaves',
      },
    )
  }
  checkWhole(shards, first, whereOf(0))
  const { digest, emben_model, emben_size, total } = first
  return { generation, digest, emben_model, emben_size, objects: total, shards }
}

/** The only generation that all shards hold. Raises `usage` where there are others, or none. */
export async function findGeneration(clients: readonly ShardClient[], signal: AbortSignal): Promise<string> {
  const held = await Promise.all(clients.map(async (client) => readGenerations(client, signal)))
  const [first = [], ...others] = held
  const common = first.filter(({ digest }) =>
    others.every((refs) => refs.some((ref) => ref.digest === digest)),
  )
  const names = common.map(({ name }) => name)
  if (names.length === 1) return names[0]!
  const told = names.length === 0 ? 'no generation in common' : `${names.join(' and ')}`
  throw new LongshoreError('usage', `the shards of storage-api-from hold ${told}`, {
    hint: 'name the one that is searched in: --from dg_N',
  })
}

/** Raises where shards are missing, or hold fewer or more items than their generation. */
function checkWhole(
  shards: readonly ShardSummary[],
  { clusters, total, generation }: ShardSummary,
  where: string,
): void {
  if (shards.length !== clusters) {
    const message = `${where}: ${shards.length} shards are named, ${generation} has ${clusters}`
    throw new LongshoreError('usage', message, { hint: 'name every shard, with a master each' })
  }
  const objects = shards.reduce((sum, shard) => sum + shard.objects, 0)
  if (objects === total) return
  const message = `${where}: the shards hold ${objects} objects together, ${generation} has ${total}`
  throw new LongshoreError('corrupt', message, { hint: 'verify.mjs in that fleet tells what is damaged' })
}

async function readSummary(client: ShardClient, path: string, signal: AbortSignal): Promise<ShardSummary> {
  const { body } = await client.get(path, { signal })
  const told = parseJson(body)
  if (isShardSummary(told)) return told
  throw new LongshoreError('remote', `${client.where}: is no index service: it tells nothing of its shard`, {
    hint: 'an older version cannot be read from: bring that fleet to this one first',
  })
}

async function readGenerations(client: ShardClient, signal: AbortSignal): Promise<Ref[]> {
  const { body } = await client.get('/v1/status', { signal })
  const { generations } = (parseJson(body) ?? {}) as { generations?: unknown }
  return Array.isArray(generations) ? (generations as Ref[]) : []
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
