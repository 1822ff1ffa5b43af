import { LongshoreError, messageOf } from './errors.ts'

/** One exact neighbour of a golden query: higher scores are better. */
export type GoldenHit = { readonly id: string; readonly cluster: number; readonly score: number }

/** A sampled item used as a query, with its exact nearest neighbours over the whole generation. */
export type GoldenQuery = {
  /** Id of the sampled item. */
  readonly id: string
  /** Text of the sampled item, where no other item has the same; lets the gateway check the model it embeds with. */
  readonly text?: string
  /** [dimensions] float32 values */
  readonly vector: readonly number[]
  /** Best first, as many as `k` of the file or as there are items. */
  readonly hits: readonly GoldenHit[]
}

/** golden.json of a generation. */
export type Golden = {
  readonly k: number
  readonly queries: readonly GoldenQuery[]
  /** The user's own expectations: this query text must find this item among the first k. */
  readonly pairs: readonly { readonly query: string; readonly id: string }[]
}

/** Neighbours per golden query that are kept in golden.json. */
export const GOLDEN_K = 10
const LEAST_QUERIES = 32
/** Multiplications that the exact search for golden queries may take; about a third of a second of one core. */
const MOST_PRODUCTS = 6e9

/** How many golden queries are sampled: as many as wanted while the exact search stays affordable, never below 32. */
export function countGoldenQueries(wanted: number, rows: number, dimensions: number): number {
  const affordable = Math.floor(MOST_PRODUCTS / Math.max(1, rows * dimensions))
  return Math.min(wanted, rows, Math.max(LEAST_QUERIES, affordable))
}

/** golden.json as text: float32 values with as many digits as bring the same value back, nine at most. */
export function renderGolden(golden: Golden): string {
  const queries = golden.queries.map(({ vector, ...query }) => {
    const { hits, ...names } = query
    return `${JSON.stringify(names).slice(0, -1)},"vector":[${vector.map(shorten).join(',')}],"hits":${JSON.stringify(hits)}}`
  })
  return `{"k":${golden.k},\n"queries":[\n${queries.join(',\n')}\n],\n"pairs":${JSON.stringify(golden.pairs)}}\n`
}

function shorten(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return String(short)
  }
  return String(Number(value.toPrecision(9)))
}

/** The contents of golden.json. `where` names the file in errors. Raises `corrupt`. */
export function parseGolden(text: string, where: string, dimensions: number): Golden {
  const fail = (what: string): never => {
    throw new LongshoreError('corrupt', `${where}: ${what}`)
  }
  let golden: Golden
  try {
    golden = JSON.parse(text) as Golden
  } catch (error) {
    return fail(`is no JSON (${messageOf(error)})`)
  }
  if (!Array.isArray(golden?.queries) || !Array.isArray(golden.pairs)) fail('expected {k, queries, pairs}')
  for (const [index, query] of golden.queries.entries()) {
    if (query?.vector?.length !== dimensions || !Array.isArray(query.hits)) {
      fail(`queries[${index}]: expected a vector of ${dimensions} numbers and its hits`)
    }
  }
  return golden
}
