import { LongshoreError, messageOf } from '../../lib/domain/errors.ts'
import { type Filter, parseFilter } from '../../lib/domain/filter.ts'
import { badRequest, HttpError } from '../http/http-error.ts'
import { checkLengths, MOST_HITS, parseK, parseVector, wrongDimensions } from '../http/parse-numbers.ts'

export type SearchRequest = {
  readonly generation: string
  /** Row-major [queries, dimensions] */
  readonly vectors: Float32Array
  readonly queries: number
  readonly k: number
  readonly threshold: number | undefined
  readonly filter: Filter | undefined
  /** Milliseconds from now on after which nobody can use the answer. */
  readonly deadlineMs: number | undefined
}

const MOST_QUERIES = 256

type Body = Readonly<Record<'vectors' | 'k' | 'threshold' | 'filter' | 'deadlineMs', unknown>>
type Asked = Partial<Body> & { readonly generation: string }

/** Where a request says what it wants: in JSON, or in the address with the vectors as float32 bytes. */
export function readRequest(body: unknown, query: Readonly<Record<string, unknown>>): Asked {
  const asked = Buffer.isBuffer(body) ? readAddress(query, body) : (body ?? {})
  const { generation } = asked as Record<string, unknown>
  if (typeof generation !== 'string') throw badRequest('generation: expected its name, for example "dg_8"')
  return { ...asked, generation }
}

/** The checked request. Raises HttpError 400 or 413 naming what was expected. */
export function parseSearchRequest(asked: Asked, dimensions: number): SearchRequest {
  const { generation, vectors, k = 10 } = asked
  const limit = parseK(k)
  const rows = Buffer.isBuffer(vectors) ? readFloats(vectors, dimensions) : joinRows(vectors, dimensions)
  const queries = rows.length / dimensions
  if (queries === 0) throw badRequest('vectors: expected at least one')
  if (queries * limit > MOST_HITS) {
    const what = `${queries} vectors with k ${limit}: expected at most ${MOST_HITS} hits`
    throw new HttpError(413, 'too_large', what)
  }
  const deadlineMs = readNumber(asked.deadlineMs, 'deadlineMs')
  if (deadlineMs !== undefined && deadlineMs < 0) throw badRequest('deadlineMs: expected a number from 0')
  return {
    generation,
    vectors: rows,
    queries,
    k: limit,
    threshold: readNumber(asked.threshold, 'threshold'),
    filter: asked.filter === undefined ? undefined : checkFilter(asked.filter),
    deadlineMs,
  }
}

function readAddress(query: Readonly<Record<string, unknown>>, vectors: Buffer): Record<string, unknown> {
  const numbers = (['k', 'threshold', 'deadlineMs'] as const).map((name) => {
    const text = query[name]
    return [name, text === undefined || text === '' ? text : Number(text)]
  })
  const { generation, filter } = query
  return { generation, vectors, ...Object.fromEntries(numbers), filter: filter && parseJson(filter) }
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch (error) {
    throw badRequest(`filter: expected JSON (${messageOf(error)})`)
  }
}

function checkFilter(value: unknown): Filter {
  try {
    return parseFilter(value)
  } catch (error) {
    if (error instanceof LongshoreError && error.kind === 'usage') throw badRequest(error.message)
    throw error
  }
}

function readNumber(value: unknown, name: string): number | undefined {
  if (value === undefined || Number.isFinite(value)) return value as number | undefined
  throw badRequest(`${name}: expected a finite number`)
}

function joinRows(vectors: unknown, dimensions: number): Float32Array {
  if (!Array.isArray(vectors)) throw badRequest('vectors: expected a list of vectors')
  if (vectors.length > MOST_QUERIES) throw tooMany(vectors.length)
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
  const vectors = bytes.length / dimensions / 4
  if (vectors > MOST_QUERIES) throw tooMany(vectors)
  const rows = new Float32Array(Uint8Array.from(bytes).buffer)
  const wrong = rows.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) throw badRequest(`body: number ${wrong} is not finite`)
  checkLengths(rows, dimensions, 'body')
  return rows
}

function tooMany(vectors: number): HttpError {
  return new HttpError(413, 'too_large', `${vectors} vectors, expected at most ${MOST_QUERIES}`)
}
