import { LineReader } from '../../lib/adapters/files/line-reader.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { type Filter, isMet } from '../../lib/domain/filter.ts'

type Scalar = string | number | boolean | null

/** The values of one member in all items of a shard: each different value once, and which of them every row has. */
export type Column = {
  /** values[0] stands for rows that lack the member, or hold no single value in it. */
  readonly values: readonly (Scalar | undefined)[]
  readonly codes: Uint32Array
  readonly bytes: number
}

export type Scan = {
  /** Undefined where it would be larger than the limit. */
  readonly column: Column | undefined
  /** Every member that any item has; undefined where they are too many to be told. */
  readonly members: ReadonlySet<string> | undefined
}

/** What a value costs besides its characters, a guess on the safe side. */
const VALUE_BYTES = 64
const MOST_MEMBERS = 1000

/**
 * Reads items.jsonl at `path` for the column of one member, of `limit` bytes at most. Blocks the caller. Raises `corrupt`.
 */
export function readColumn(
  path: string,
  { items, member, limit }: { readonly items: number; readonly member: string; readonly limit: number },
): Scan {
  const builder = new ColumnBuilder(items, limit)
  const members = new Set<string>()
  const reader = new LineReader(path)
  try {
    for (let row = 0; row < items; row++) {
      const item = parseItem(reader.next(), `${path}:${row + 1}`)
      if (members.size <= MOST_MEMBERS) for (const name of Object.keys(item)) members.add(name)
      if (Object.hasOwn(item, member)) builder.add(row, item[member])
    }
  } finally {
    reader.close()
  }
  return { column: builder.finish(), members: members.size > MOST_MEMBERS ? undefined : members }
}

/** The rows (ascending) that meet every condition, in memory that threads can share; none where a column is missing. */
export function selectRows(
  filter: Filter,
  columnOf: (member: string) => Column | undefined,
  items: number,
): Uint32Array {
  let rows = Uint32Array.from({ length: items }, (_, row) => row)
  for (const condition of filter) {
    const column = columnOf(condition.member)
    const passes = column?.values.map((value) => isMet(condition, value)) ?? []
    rows = rows.filter((row) => passes[column?.codes[row] ?? 0])
  }
  const shared = new Uint32Array(new SharedArrayBuffer(rows.byteLength))
  shared.set(rows)
  return shared
}

class ColumnBuilder {
  readonly #limit: number
  readonly #known = new Map<Scalar, number>()
  #codes: Uint32Array
  #bytes: number

  constructor(items: number, limit: number) {
    this.#limit = limit
    this.#bytes = items * Uint32Array.BYTES_PER_ELEMENT
    this.#codes = new Uint32Array(this.#bytes <= limit ? items : 0)
  }

  add(row: number, value: unknown): void {
    if (this.#bytes > this.#limit || (typeof value === 'object' && value !== null)) return
    let code = this.#known.get(value as Scalar)
    if (code === undefined) {
      code = this.#known.size + 1
      this.#known.set(value as Scalar, code)
      this.#bytes += VALUE_BYTES + (typeof value === 'string' ? value.length * 2 : 0)
    }
    this.#codes[row] = code
    if (this.#bytes > this.#limit) {
      this.#known.clear()
      this.#codes = new Uint32Array(0)
    }
  }

  /** The column, unless it is too large. */
  finish(): Column | undefined {
    if (this.#bytes > this.#limit) return undefined
    return { values: [undefined, ...this.#known.keys()], codes: this.#codes, bytes: this.#bytes }
  }
}

function parseItem(line: string | undefined, where: string): Record<string, unknown> {
  try {
    return JSON.parse(line ?? '') as Record<string, unknown>
  } catch (error) {
    throw new LongshoreError('corrupt', `${where}: is no JSON`, { cause: error })
  }
}
