import type { HttpConnections } from '../../../lib/adapters/http/client.ts'
import { queryModelOf } from '../../../lib/domain/bridge.ts'
import { compareGenerations, type GenerationRef } from '../../../lib/domain/generation.ts'
import { countItems, type Manifest } from '../../../lib/domain/manifest.ts'
import { type Group, indexServiceName } from '../../../lib/domain/service.ts'
import { HttpError } from '../../http/http-error.ts'
import { readManifest } from '../../read-generation.ts'
import type { ServedModel } from '../../settings.ts'
import { createAnswerCache } from '../answer-cache.ts'
import { type Answers, createAnswers } from '../answers.ts'
import { type Catalog, readCatalog } from '../catalog.ts'
import type { Discovery } from '../discovery.ts'
import type { GatewayMetrics } from '../gateway-metrics.ts'
import { createIndexClient } from '../index-client.ts'
import { createQueryEmbedder } from '../query-embedder.ts'
import { createSearch, type Search } from '../search.ts'
import { createShardCounters } from '../shard-counters.ts'

/** A generation that can be asked besides the one that is served. */
export type OpenGeneration = {
  readonly catalog: Catalog
  readonly search: Search
  readonly answers: Answers
}

export type Generations = {
  /** Those that index services hold and whose routing this node knows, oldest first. */
  list(): Promise<{ name: string; digest: string; model: string; items: number }[]>
  /** Raises HttpError 404, and `corrupt` where its files are not whole. */
  open(name: string): Promise<OpenGeneration>
}

export type GenerationsParts = {
  readonly dataDirectory: string
  /** The one that is served. */
  readonly catalog: Catalog
  readonly discovery: Discovery
  readonly client: HttpConnections
  readonly models: readonly ServedModel[]
  readonly groups: readonly Group[]
  readonly timeoutMs: number
}

/** What operators try out counts nowhere as traffic. */
const UNCOUNTED: GatewayMetrics = {
  observeStage: () => undefined,
  countMissing: () => undefined,
  countAnswers: () => undefined,
  countLookUps: () => undefined,
}

/** Generations that index services hold beside the one that is served: the former one, and the next one during an update. */
export function createGenerations(parts: GenerationsParts): Generations {
  const { dataDirectory, catalog, discovery, client, groups } = parts
  const opened = new Map<string, Promise<OpenGeneration>>()
  const listResident = async (): Promise<readonly GenerationRef[]> => {
    const clusters = catalog.manifest.clusters.map(({ id }) => id)
    const services = clusters.flatMap((id) => groups.map((group) => indexServiceName(id, group)))
    const [endpoint] = services.flatMap((service) => discovery.endpointsOf(service))
    if (endpoint === undefined) return [catalog.ref]
    const { body } = await client.get(`${endpoint}/v1/status`, { signal: AbortSignal.timeout(5_000) })
    return (JSON.parse(body.toString()) as { generations: GenerationRef[] }).generations
  }
  const listKnown = async () => {
    const read = await Promise.allSettled(
      (await listResident()).map((ref) => readManifest(dataDirectory, ref)),
    )
    return read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  }
  return {
    async list() {
      const known = (await listKnown()).map((manifest) => ({
        name: manifest.generation,
        digest: manifest.digest,
        model: describeModel(manifest),
        items: countItems(manifest),
      }))
      return known.sort((a, b) => compareGenerations(a.name, b.name))
    },
    async open(name) {
      const manifest = (await listKnown()).find(({ generation }) => generation === name)
      if (!manifest) throw new HttpError(404, 'not_found', `no index service holds ${name}`)
      const { digest } = manifest
      const found = opened.get(digest) ?? openGeneration({ name, digest }, parts)
      opened.set(digest, found)
      found.catch(() => opened.delete(digest))
      return await found
    },
  }
}

async function openGeneration(ref: GenerationRef, parts: GenerationsParts): Promise<OpenGeneration> {
  const { discovery, client, models, groups, timeoutMs } = parts
  const catalog = await readCatalog(parts.dataDirectory, ref)
  const { embedder } = createQueryEmbedder({ catalog, models, discovery, client, timeoutMs })
  const counters = createShardCounters()
  const asking = { attemptMs: timeoutMs / 2, hedgeShare: 0, counters }
  const askShard = createIndexClient({ ref, groups, discovery, client, ...asking })
  const search = createSearch({ catalog, embedder, askShard, metrics: UNCOUNTED })
  const cache = createAnswerCache({ entries: 0, bytes: 0 })
  const answers = createAnswers({
    ...{ ref, search, cache, timeoutMs, metrics: UNCOUNTED },
    normalize: (text) => text,
  })
  return { catalog, search, answers }
}

/** Of a bridge, that of its queries, then that of its items. */
function describeModel(manifest: Manifest): string {
  const names = [queryModelOf(manifest), manifest.model].map(({ name, version }) => `${name} ${version}`)
  return [...new Set(names)].join(' over a bridge to ')
}
