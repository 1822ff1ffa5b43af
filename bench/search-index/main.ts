/**
 * Search in one shard by every kind, as a library and as an index service over HTTP, each on one thread: against faiss's
 * IndexFlatIP for exact search, and against hnswlib at equal recall for graphs; and what two resident generations cost.
 * All of it over 250,000 vectors (25,000 with --quick, or --rows N). Both graphs are built at once, each on one thread,
 * which takes some minutes.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Manifest, shardFile } from '../../lib/domain/manifest.ts'
import { makeData } from '../search/make-data.ts'
import { compareGraphs } from './compare-graphs.ts'
import { compareScans } from './compare-scans.ts'
import { PYTHON, requirePeers, startLineProcess } from './line-process.ts'
import { addGraph, addQuantised } from './make-kinds.ts'
import { compareGenerations, MEMORY_LEGEND } from './measure-memory.ts'
import type { Memory } from './memory-service.ts'

const DATA = join(import.meta.dirname, '..', '.data', 'search-index')
const DIMENSIONS = 512
const K = 10
/** Links and list lengths of both graphs while they are built. */
const BUILT = { connectivity: 16, expansion: 128 }
const EXPANSION = 64

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rows: { type: 'string' } },
})
const rows = Number(values.rows ?? (values.quick ? 25_000 : 250_000))
const size = { rows, queries: 64, pairs: values.quick ? 3 : 5 }
requirePeers()
rmSync(DATA, { recursive: true, force: true })
mkdirSync(DATA, { recursive: true })
try {
  console.log(`RESULT ${JSON.stringify({ bench: 'search-index', ...(await compare()) })}`)
} finally {
  rmSync(DATA, { recursive: true, force: true })
}

async function compare() {
  const { manifest: exact, queries } = makeData(DATA, { ...size, dimensions: DIMENSIONS })
  console.log(`${rows} vectors of ${DIMENSIONS}, ${size.queries} queries one after the other, one thread`)
  const queriesFile = join(DATA, 'queries.f32')
  writeFileSync(queriesFile, new Uint8Array(queries.buffer))
  const vectorsFile = join(DATA, exact.generation, shardFile(0, 'vectors'))
  const facts = [queriesFile, String(DIMENSIONS), String(K)]
  const start = (program: string, script: string, ...args: string[]) =>
    startLineProcess(program, [join(import.meta.dirname, script), ...args])
  const ours = await start(process.execPath, 'library.ts', DATA, ...facts)
  try {
    const quantised = addQuantised(DATA, exact)
    const faiss = await start(PYTHON, '../search/peer.py', vectorsFile, ...facts)
    const question = { directory: DATA, exact, quantised, queries, k: K, pairs: size.pairs }
    const scans = await compareScans(question, { ours, faiss }).finally(() => faiss.stop())
    console.error('building both graphs')
    const built = Object.values(BUILT).map(String)
    const starting = start(PYTHON, 'hnsw_peer.py', vectorsFile, ...facts, ...built)
    // Takes all of this process meanwhile, and none of the peer's.
    const graph = addGraph(DATA, exact, EXPANSION)
    const hnswlib = await starting
    const graphs = await compareGraphs({ ours, hnswlib }, scans.truth).finally(() => hnswlib.stop())
    await printMemory({ exact, 'exact-i8': quantised, hnsw: graph }, queries)
    return { ...scans.result, ...graphs }
  } finally {
    await ours.stop()
  }
}

async function printMemory(kinds: Readonly<Record<string, Manifest>>, queries: Float32Array): Promise<void> {
  console.log(`an index service on two threads after searching in one and two generations of ${rows} vectors`)
  // All at once, for each waits a minute until its first generation rests.
  const parts = await Promise.all(
    Object.entries(kinds).map(async ([kind, manifest]) => {
      const { one, both, rest, firstMs } = await compareGenerations(DATA, manifest, queries)
      const table: Record<string, Memory & { 'first query ms'?: number }> = {
        [`${kind}, one generation`]: one,
        [`${kind}, two generations, both asked`]: both,
        [`${kind}, two generations, one at rest`]: { ...rest, 'first query ms': firstMs },
      }
      return table
    }),
  )
  console.table(Object.assign({}, ...parts))
  console.log(MEMORY_LEGEND)
}
