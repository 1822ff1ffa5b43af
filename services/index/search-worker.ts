import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openShard, type Shard } from '../../lib/adapters/generations/served-shard.ts'
import { answerCalls } from '../../lib/adapters/generations/thread.ts'
import type { ExactMatches } from '../../lib/adapters/search/exact.ts'
import { type GoldenHit, parseGolden } from '../../lib/domain/golden.ts'
import { GOLDEN_FILE, type Manifest } from '../../lib/domain/manifest.ts'
import type { ShardKind } from '../../lib/domain/shard-search.ts'

export type OpenJob = {
  readonly dataDirectory: string
  readonly cluster: number
  readonly manifests: readonly Manifest[]
  /** Compares all vectors, whatever the manifest says. */
  readonly isExact: boolean
}

/** Questions of several requests to one generation, searched together. */
export type SearchJob = {
  readonly generation: string
  /** Row-major [queries, dimensions] */
  readonly vectors: Float32Array
  readonly k: number
  /** Rows (ascending) that may be found; all when undefined. */
  readonly rows: Uint32Array | undefined
  readonly isExact: boolean
  /** The requests in the order of their queries; hits with a lower score than `threshold` are left out. */
  readonly parts: readonly { readonly queries: number; readonly threshold: number }[]
}

export type SearchDone = {
  readonly kind: ShardKind
  readonly milliseconds: number
  /** For each request the hits of its queries, best first, as JSON `[{"id","score","item"}],[...]`. */
  readonly hits: readonly Uint8Array[]
}

/** Golden queries, each with those of its exact neighbours that the served cluster holds. */
export type GoldenOfShard = { readonly vectors: Float32Array; readonly stored: readonly GoldenHit[][] }

type Served = { readonly shard: Shard; readonly manifest: Manifest; readonly directory: string }

const served = new Map<string, Served>()
let cluster = -1

const handlers = {
  /** Opens the shard of every generation, prepared to be searched. Raises `corrupt`. */
  open(job: OpenJob): void {
    cluster = job.cluster
    for (const manifest of job.manifests) {
      const directory = join(job.dataDirectory, manifest.generation)
      const shard = openShard(directory, manifest, cluster, job.isExact)
      served.set(manifest.generation, { shard, manifest, directory })
    }
  },

  /** Makes a generation's shard ready to be searched at once. */
  prepare(generation: string): void {
    served.get(generation)!.shard.prepare()
  },

  /** Gives memory of a generation's shard back, until it is searched or prepared again. */
  rest(generation: string): Promise<void> {
    return served.get(generation)!.shard.rest()
  },

  search(job: SearchJob): SearchDone {
    const started = performance.now()
    const { shard } = served.get(job.generation)!
    const { kind, matches } = searchShard(shard, job)
    let query = 0
    const hits = job.parts.map(({ queries, threshold }) => {
      const lists = Array.from({ length: queries }, () =>
        JSON.stringify(readHits(shard, matches, query++, threshold)),
      )
      return new TextEncoder().encode(lists.join(','))
    })
    return { kind, hits, milliseconds: performance.now() - started }
  },

  readGolden(generation: string): GoldenOfShard {
    const { directory, manifest } = served.get(generation)!
    const { dimensions } = manifest.model
    const path = join(directory, GOLDEN_FILE)
    const { queries } = parseGolden(readFileSync(path, 'utf8'), path, dimensions)
    const vectors = new Float32Array(queries.length * dimensions)
    for (const [index, { vector }] of queries.entries()) vectors.set(vector, index * dimensions)
    return { vectors, stored: queries.map(({ hits }) => hits.filter((hit) => hit.cluster === cluster)) }
  },
}
export type SearchHandlers = typeof handlers

answerCalls(handlers)

function searchShard(shard: Shard, { vectors, k, rows, isExact }: SearchJob) {
  if (rows) return { kind: 'exact', matches: shard.searchAmong(rows, vectors, k) } as const
  if (isExact) return { kind: 'exact', matches: shard.searchAll(vectors, k) } as const
  return { kind: shard.kind, matches: shard.search(vectors, k) }
}

function readHits(shard: Shard, { rows, scores, perQuery }: ExactMatches, query: number, threshold: number) {
  const start = query * perQuery
  const own = scores.subarray(start, start + perQuery)
  const missed = own.findIndex((score) => score < threshold)
  return Array.from(own.subarray(0, missed < 0 ? perQuery : missed), (score, rank) => {
    const item = shard.readItem(rows[start + rank]!)
    return { id: item.id, score, item }
  })
}
