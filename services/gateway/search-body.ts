import { queryModelOf } from '../../lib/domain/bridge.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { parseFilter } from '../../lib/domain/filter.ts'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { PARTIAL_POLICIES, type PartialPolicy } from '../../lib/domain/partial.ts'
import { badRequest, HttpError } from '../http/http-error.ts'
import { MOST_HITS, parseK, parseVector } from '../http/parse-numbers.ts'

/** What is looked for: texts to be embedded, or vectors of the model. */
export type Queries = { readonly texts: readonly string[] } | { readonly vectors: readonly Float32Array[] }

/** Everything besides the query itself that decides what is answered. */
export type SearchOptions = {
  readonly k: number
  readonly nprobe: number
  /** Least score of a hit. */
  readonly threshold?: number
  /** A checked filter, as JSON. */
  readonly filter?: string
  readonly dedupe?: 'text'
  readonly partial: PartialPolicy
}

export type SearchBody = {
  readonly queries: Queries
  /** Whether a list was asked for, so that a list is answered. */
  readonly isBatch: boolean
  readonly options: SearchOptions
  readonly explain: boolean
}

const QUERY_MEMBERS = ['query', 'vector', 'queries', 'vectors'] as const
const MEMBERS: readonly string[] = [
  ...QUERY_MEMBERS,
  ...['k', 'nprobe', 'threshold', 'filter', 'dedupe', 'explain', 'partial'],
]
const MOST_CHARACTERS = 20_000
/** Queries of one batch. */
export const MOST_QUERIES = 64
/** Percent-encoded it may grow threefold, and still fits the address of a request. */
const MOST_FILTER_BYTES = 4_000
const PRESET_K = 10

/**
 * The checked body of POST /v1/search. Raises HttpError 400 naming the member and what was expected, 413 for more hits
 * than one request may ask for.
 */
export function parseSearchBody(
  body: unknown,
  manifest: Manifest,
  presets: { readonly partial: PartialPolicy },
): SearchBody {
  const { clusters, routing, threshold } = manifest
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest('expected a JSON object')
  const asked = body as Readonly<Record<string, unknown>>
  const unknown = Object.keys(asked).find((member) => !MEMBERS.includes(member))
  if (unknown !== undefined) throw badRequest(`${unknown}: no such member; expected ${MEMBERS.join(', ')}`)
  const { queries, isBatch } = parseQueries(asked, queryModelOf(manifest).dimensions)
  const { k: wanted = PRESET_K, nprobe = routing.nprobe, explain = false, partial = presets.partial } = asked
  if (!Number.isInteger(nprobe) || (nprobe as number) < 1 || (nprobe as number) > clusters.length) {
    throw badRequest(`nprobe: expected a whole number from 1 to ${clusters.length}`)
  }
  if (typeof explain !== 'boolean') throw badRequest('explain: expected true or false')
  if (!PARTIAL_POLICIES.includes(partial as PartialPolicy)) {
    throw badRequest(`partial: expected ${PARTIAL_POLICIES.map((policy) => `"${policy}"`).join(' or ')}`)
  }
  const k = parseK(wanted)
  checkHits(countQueries(queries), k)
  const options = {
    k,
    nprobe: nprobe as number,
    partial: partial as PartialPolicy,
    ...parseLimits({ threshold, ...asked }),
  }
  return { queries, isBatch, options, explain }
}

/** The text of a query. Raises HttpError 400 naming `where`. */
export function parseQuery(query: unknown, where = 'query'): string {
  if (typeof query !== 'string') throw badRequest(`${where}: expected a text`)
  if (query.length > MOST_CHARACTERS)
    throw badRequest(`${where}: expected at most ${MOST_CHARACTERS} characters`)
  return query
}

export function countQueries(queries: Queries): number {
  return 'texts' in queries ? queries.texts.length : queries.vectors.length
}

function parseQueries(
  { query, vector, queries, vectors }: Readonly<Record<string, unknown>>,
  dimensions: number,
): Pick<SearchBody, 'queries' | 'isBatch'> {
  const told = [query, vector, queries, vectors].filter((member) => member !== undefined)
  if (told.length !== 1)
    throw badRequest('expected either "query" or "vector", or a list: "queries" or "vectors"')
  if (query !== undefined) return { queries: { texts: [parseQuery(query)] }, isBatch: false }
  if (vector !== undefined) {
    return { queries: { vectors: [parseVector(vector, dimensions, 'vector')] }, isBatch: false }
  }
  if (queries !== undefined) {
    const texts = parseList(queries, 'queries').map((text, at) => parseQuery(text, `queries[${at}]`))
    return { queries: { texts }, isBatch: true }
  }
  const rows = parseList(vectors, 'vectors').map((row, at) => parseVector(row, dimensions, `vectors[${at}]`))
  return { queries: { vectors: rows }, isBatch: true }
}

function parseList(list: unknown, where: string): readonly unknown[] {
  if (Array.isArray(list) && list.length > 0 && list.length <= MOST_QUERIES) return list
  throw badRequest(`${where}: expected a list of 1 to ${MOST_QUERIES}`)
}

function checkHits(queries: number, k: number): void {
  if (queries * k <= MOST_HITS) return
  throw new HttpError(413, 'too_large', `${queries} queries with k ${k}: expected at most ${MOST_HITS} hits`)
}

function parseLimits({
  threshold,
  filter,
  dedupe,
}: Readonly<Record<string, unknown>>): Pick<SearchOptions, 'threshold' | 'filter' | 'dedupe'> {
  if (threshold !== undefined && threshold !== null && !Number.isFinite(threshold)) {
    throw badRequest('threshold: expected a finite number, or null for none')
  }
  if (dedupe !== undefined && dedupe !== 'text') throw badRequest('dedupe: expected "text"')
  return {
    ...(typeof threshold === 'number' && { threshold }),
    ...(filter !== undefined && { filter: checkFilter(filter) }),
    ...(dedupe !== undefined && { dedupe }),
  }
}

function checkFilter(filter: unknown): string {
  try {
    parseFilter(filter)
  } catch (error) {
    if (error instanceof LongshoreError) throw badRequest(error.message)
    throw error
  }
  const json = JSON.stringify(filter)
  if (Buffer.byteLength(json) <= MOST_FILTER_BYTES) return json
  throw badRequest(`filter: expected at most ${MOST_FILTER_BYTES} bytes of JSON`)
}
