/**
 * Opens and searches copies of a graph with a few wrong bytes among its nodes: damaged-graphs.ts COPIES SEED. Prints how
 * many were refused and how many were searched as JSON; a copy that is not answered rightly ends it.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildGraph, openGraph } from '../../lib/adapters/search/graph.ts'
import { checkGraphFile } from '../../lib/adapters/search/graph-file.ts'
import { holdFile } from '../../lib/adapters/search/held-file.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { createRandom } from '../../lib/domain/random.ts'
import { clusteredRows } from './rows.ts'
import { makeTempDir } from './temp.ts'

const [dimensions, items, k] = [8, 2000, 10]
const shape = { dimensions, metric: 'dot', items } as const
const rows = clusteredRows(items + 20, { dimensions })
const vectors = rows.slice(20 * dimensions)
const queries = rows.slice(0, 20 * dimensions)

const [copies, seed] = process.argv.slice(2).map(Number) as [number, number]
const path = join(makeTempDir(), 'index.usearch')
buildGraph(vectors, shape, path)
const whole = readFileSync(path)
const { nodesAt } = checkGraphFile(holdFile(path), shape)
const random = createRandom(seed)
const counts = { refused: 0, searched: 0 }
for (let copy = 0; copy < copies; copy++) {
  // The former copy may be mapped still.
  rmSync(path)
  writeFileSync(path, damage())
  counts[search() ? 'searched' : 'refused']++
}
console.log(JSON.stringify(counts))

function damage(): Buffer {
  const bytes = Buffer.from(whole)
  for (let times = Math.floor(random() * 3); times >= 0; times--) {
    bytes[nodesAt + Math.floor(random() * (bytes.length - nodesAt))] = Math.floor(random() * 256)
  }
  return bytes
}

/** Whether the graph could be opened. */
function search(): boolean {
  try {
    const graph = openGraph(path, shape)
    const { rows: found } = graph.search(vectors, queries, { k, expansion: 64 })
    graph.close()
    for (let at = 0; at < found.length; at += k) {
      const hits = new Set(found.subarray(at, at + k))
      if (hits.size < k || [...hits].some((row) => row >= items)) throw new Error(`hits ${[...hits]}`)
    }
    return true
  } catch (error) {
    if (error instanceof LongshoreError && error.kind === 'corrupt') return false
    throw error
  }
}
