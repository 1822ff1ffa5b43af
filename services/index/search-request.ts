import { badRequest, HttpError } from '../http/http-error.ts'

export type SearchRequest = {
  readonly generation: string
  /** Row-major [queries, dimensions] */
  readonly vectors: Float32Array
  readonly queries: number
  readonly k: number
}

export const MOST_K = 1000
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

/** The number of hits wanted. Raises HttpError 400. */
export function parseK(k: unknown): number {
  if (!Number.isInteger(k) || (k as number) < 1 || (k as number) > MOST_K) {
    throw badRequest(`k: expected a whole number from 1 to ${MOST_K}`)
  }
  return k as number
}

/** One vector given as a list of numbers. Raises HttpError 400 naming `where`. */
export function parseVector(row: unknown, dimensions: number, where: string): Float32Array {
  if (!Array.isArray(row)) throw badRequest(`${where}: expected a list of ${dimensions} numbers`)
  if (row.length !== dimensions) {
    throw new HttpError(
      400,
      'wrong_dimensions',
      `${where}: has ${row.length} dimensions, expected ${dimensions}`,
    )
  }
  const wrong = row.findIndex((value) => typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
  if (wrong >= 0) throw badRequest(`${where}[${wrong}]: expected a finite number`)
  return Float32Array.from(row as number[])
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
    throw new HttpError(
      400,
      'wrong_dimensions',
      `body: has ${bytes.length} bytes, expected a multiple of ${dimensions * 4} (float32 vectors of ${dimensions})`,
    )
  }
  const rows = new Float32Array(Uint8Array.from(bytes).buffer)
  const wrong = rows.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) throw badRequest(`body: number ${wrong} is not finite`)
  return rows
}
