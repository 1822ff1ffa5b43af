import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openShard, type Shard } from '../../lib/adapters/generations/served-shard.ts'
import { answerCalls } from '../../lib/adapters/generations/thread.ts'
import { searchExact } from '../../lib/adapters/search/exact.ts'
import { type GoldenHit, parseGolden } from '../../lib/domain/golden.ts'
import { GOLDEN_FILE, type Manifest } from '../../lib/domain/manifest.ts'
import { scoringOf } from '../../lib/domain/similarity.ts'

export type OpenJob = {
  readonly dataDirectory: string
  readonly cluster: number
  readonly manifests: readonly Manifest[]
}

/** Questions of several requests to one generation, searched together. */
export type SearchJob = {
  readonly generation: string
  /** Row-major [queries, dimensions] */
  readonly vectors: Float32Array
  /** The requests in the order of their queries. */
  readonly parts: readonly { readonly queries: number; readonly k: number }[]
}

/** Golden queries, each with those of its exact neighbours that the served cluster holds. */
export type GoldenOfShard = { readonly vectors: Float32Array; readonly stored: readonly GoldenHit[][] }

type Served = { readonly shard: Shard; readonly manifest: Manifest; readonly directory: string }

const served = new Map<string, Served>()
let cluster = -1

const handlers = {
  /** Opens the shard of every generation. Raises `corrupt`. */
  open(job: OpenJob): void {
    cluster = job.cluster
    for (const manifest of job.manifests) {
      const directory = join(job.dataDirectory, manifest.generation)
      const shard = openShard(directory, manifest, cluster)
      served.set(manifest.generation, { shard, manifest, directory })
    }
  },

  /** For each request its hits, best first, as JSON `[[{"id","score","item"}]]` ready to be sent. */
  search({ generation, vectors, parts }: SearchJob): Uint8Array[] {
    const { shard, manifest } = served.get(generation)!
    const { dimensions } = manifest.model
    const k = Math.max(...parts.map((part) => part.k))
    const matches = searchExact(shard.vectors, vectors, { dimensions, metric: scoringOf(manifest.model), k })
    let query = 0
    return parts.map((part) => {
      const hits = Array.from({ length: part.queries }, () => {
        const start = matches.perQuery * query++
        return Array.from({ length: Math.min(part.k, matches.perQuery) }, (_, rank) => {
          const item = shard.readItem(matches.rows[start + rank]!)
          return { id: item.id, score: matches.scores[start + rank]!, item }
        })
      })
      return new TextEncoder().encode(JSON.stringify(hits))
    })
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
