import { join } from 'node:path'
import { answerCalls } from '../../lib/adapters/generations/thread.ts'
import type { Filter } from '../../lib/domain/filter.ts'
import { type Manifest, shardFile } from '../../lib/domain/manifest.ts'
import { type Column, readColumn, selectRows } from './item-columns.ts'
import { KeptBytes } from './kept-bytes.ts'

export type FilterJob = {
  readonly dataDirectory: string
  readonly cluster: number
  readonly manifests: readonly Manifest[]
  /** Bytes that the values of members may take. */
  readonly limit: number
}

/** Rows (ascending) that match, in shared memory; or the member whose values are too large to be held. */
export type Match = { readonly rows: Uint32Array } | { readonly tooLarge: string }

type Items = {
  readonly path: string
  readonly items: number
  readonly tooLarge: Set<string>
  /** Members that any item has, once they are known. */
  members: ReadonlySet<string> | undefined
}

const sources = new Map<string, Items>()
let columns = new KeptBytes<Column>(0)

const handlers = {
  open({ dataDirectory, cluster, manifests, limit }: FilterJob): void {
    columns = new KeptBytes(limit)
    for (const { generation, clusters } of manifests) {
      const path = join(dataDirectory, generation, shardFile(cluster, 'items'))
      const { items } = clusters.find(({ id }) => id === cluster)!
      sources.set(generation, { path, items, tooLarge: new Set(), members: undefined })
    }
  },

  /** The rows of a shard that match. Reads its items once for every member, and again when it was not asked for long. */
  match({ generation, filter }: { generation: string; filter: Filter }): Match {
    const source = sources.get(generation)!
    const tooLarge = () => filter.find(({ member }) => source.tooLarge.has(member))?.member
    if (tooLarge() === undefined) {
      const rows = selectRows(filter, (member) => findColumn(generation, source, member), source.items)
      if (tooLarge() === undefined) return { rows }
    }
    return { tooLarge: tooLarge()! }
  },
}
export type FilterHandlers = typeof handlers

answerCalls(handlers)

/** The column of a member, read where it is not held; undefined where no item has the member or it is too large. */
function findColumn(generation: string, source: Items, member: string): Column | undefined {
  const { path, items, members, tooLarge } = source
  const key = `${generation} ${member}`
  const known = columns.get(key)
  if (known || tooLarge.has(member) || members?.has(member) === false) return known
  const scan = readColumn(path, { items, member, limit: columns.limit })
  source.members = scan.members
  if (scan.column) columns.set(key, scan.column, scan.column.bytes)
  else tooLarge.add(member)
  return scan.column
}
