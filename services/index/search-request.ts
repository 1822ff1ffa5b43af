import { badRequest, HttpError } from '../http/http-error.ts'
import { parseK, parseVector, wrongDimensions } from '../http/parse-numbers.ts'

export type SearchRequest = {
  readonly generation: string
  /** Row-major [queries, dimensions] */
  readonly vectors: Float32Array
  readonly queries: number
  readonly k: number
}

const MOST_QUERIES = 256
const MOST_HITS = 20_000

type Body = { readonly generation?: unknown; readonly vectors?: unknown; readonly k?: unknown }

/** Where a request says what it wants: in JSON, or in the address with the vectors as float32 bytes. */
export function readRequest(
  body: unknown,
  query: Readonly<Record<string, unknown>>,
): Body & { generation: string } {
  const asked: Body = Buffer.isBuffer(body)
    ? { generation: query.generation, vectors: body, k: query.k === undefined ? undefined : Number(query.k) }
    : ((body ?? {}) as Body)
  if (typeof asked.generation !== 'string')
    throw badRequest('generation: expected its name, for example "dg_8"')
  return { ...asked, generation: asked.generation }
}

/** The checked request. Raises HttpError 400 or 413 naming what was expected. */
export function parseSearchRequest(
  { generation, vectors, k = 10 }: Body & { generation: string },
  dimensions: number,
): SearchRequest {
  const limit = parseK(k)
  const rows = Buffer.isBuffer(vectors) ? readFloats(vectors, dimensions) : joinRows(vectors, dimensions)
  const queries = rows.length / dimensions
  if (queries === 0) throw badRequest('vectors: expected at least one')
  if (queries > MOST_QUERIES || queries * limit > MOST_HITS) {
    throw new HttpError(
      413,
      'too_large',
      `${queries} vectors with k ${limit}: expected at most ${MOST_QUERIES} vectors and ${MOST_HITS} hits`,
    )
  }
  return { generation, vectors: rows, queries, k: limit }
}

function joinRows(vectors: unknown, dimensions: number): Float32Array {
  if (!Array.isArray(vectors)) throw badRequest('vectors: expected a list of vectors')
  if (vectors.length > MOST_QUERIES) {
    throw new HttpError(413, 'too_large', `${vectors.length} vectors, expected at most ${MOST_QUERIES}`)
  }
  const rows = new Float32Array(vectors.length * dimensions)
  for (const [index, row] of vectors.entries()) {
    rows.set(parseVector(row, dimensions, `vectors[${index}]`), index * dimensions)
  }
  return rows
}

function readFloats(bytes: Buffer, dimensions: number): Float32Array {
  if (bytes.length % (dimensions * 4) !== 0) {
    throw wrongDimensions(
      `body: has ${bytes.length} bytes, expected a multiple of ${dimensions * 4} (float32 vectors of ${dimensions})`,
    )
  }
  const rows = new Float32Array(Uint8Array.from(bytes).buffer)
  const wrong = rows.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) throw badRequest(`body: number ${wrong} is not finite`)
  return rows
}
