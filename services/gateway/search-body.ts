import type { Manifest } from '../../lib/domain/manifest.ts'
import { badRequest } from '../http/http-error.ts'
import { parseK, parseVector } from '../http/parse-numbers.ts'

export type SearchBody = {
  readonly query: string | Float32Array
  readonly k: number
  readonly nprobe: number
}

const MEMBERS = ['query', 'vector', 'k', 'nprobe']
const MOST_CHARACTERS = 20_000
const PRESET_K = 10

/** The checked body of POST /v1/search. Raises HttpError 400 naming the member and what was expected. */
export function parseSearchBody(body: unknown, { model, clusters, routing }: Manifest): SearchBody {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest('expected a JSON object')
  const { query, vector, k = PRESET_K, nprobe = routing.nprobe } = body as Record<string, unknown>
  const unknown = Object.keys(body).find((member) => !MEMBERS.includes(member))
  if (unknown !== undefined) throw badRequest(`${unknown}: no such member; expected ${MEMBERS.join(', ')}`)
  if ((query === undefined) === (vector === undefined))
    throw badRequest('expected either "query" or "vector"')
  if (!Number.isInteger(nprobe) || (nprobe as number) < 1 || (nprobe as number) > clusters.length) {
    throw badRequest(`nprobe: expected a whole number from 1 to ${clusters.length}`)
  }
  const asked = query === undefined ? parseVector(vector, model.dimensions, 'vector') : parseQuery(query)
  return { query: asked, k: parseK(k), nprobe: nprobe as number }
}

/** The text of a query. Raises HttpError 400. */
export function parseQuery(query: unknown): string {
  if (typeof query !== 'string') throw badRequest('query: expected a text')
  if (query.length > MOST_CHARACTERS)
    throw badRequest(`query: expected at most ${MOST_CHARACTERS} characters`)
  return query
}
