/**
 * Our search as a library, on one thread: answers `<dg_N> <effort> <queries per call>` on stdin with seconds, rows and
 * scores. Effort is the number of candidates, or the length of a graph's list.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openMatrix } from '../../lib/adapters/generations/mapped-matrix.ts'
import { type ExactMatches, searchExact } from '../../lib/adapters/search/exact.ts'
import { openGraph } from '../../lib/adapters/search/graph.ts'
import { searchQuantised } from '../../lib/adapters/search/quantised.ts'
import { MANIFEST_FILE, type Manifest, searchFile, shardFile } from '../../lib/domain/manifest.ts'

const [directory, queriesFile, dimensionsText, kText] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
]
const [dimensions, k] = [Number(dimensionsText), Number(kText)]
const queries = new Float32Array(Uint8Array.from(readFileSync(queriesFile)).buffer)
const options = { dimensions, metric: 'dot', k } as const
type Search = (asked: Float32Array, effort: number) => ExactMatches

function open(generation: string): Search {
  const manifest = JSON.parse(readFileSync(join(directory, generation, MANIFEST_FILE), 'utf8')) as Manifest
  const entry = manifest.clusters[0]!
  const locate = (path: string) => join(directory, generation, path)
  const { values: vectors } = openMatrix(locate(shardFile(0, 'vectors')), '<f4', [entry.items, dimensions])
  if (entry.search?.kind === 'exact-i8') {
    const { values: codes } = openMatrix(locate(searchFile(entry)!), '|i1', [entry.items, dimensions])
    const rows = { vectors, codes, scale: entry.search.scale }
    return (asked, candidates) => searchQuantised(rows, asked, { ...options, candidates })
  }
  if (entry.search?.kind === 'hnsw') {
    const graph = openGraph(locate(searchFile(entry)!), { dimensions, metric: 'dot', items: entry.items })
    return (asked, expansion) => graph.search(vectors, asked, { k, expansion })
  }
  return (asked) => searchExact(vectors, asked, options)
}

const opened = new Map<string, Search>()
console.log('ready')

for await (const line of createInterface({ input: process.stdin })) {
  const [generation = '', effort, perCall] = line.split(' ')
  const search = opened.get(generation) ?? open(generation)
  if (!opened.has(generation)) search(queries.subarray(0, dimensions), k)
  opened.set(generation, search)
  const [ids, scores]: [number[][], number[][]] = [[], []]
  const start = performance.now()
  const found: ExactMatches[] = []
  for (let at = 0; at < queries.length; at += Number(perCall) * dimensions) {
    found.push(search(queries.subarray(at, at + Number(perCall) * dimensions), Number(effort)))
  }
  const seconds = (performance.now() - start) / 1000
  for (const matches of found) {
    for (let at = 0; at < matches.rows.length; at += matches.perQuery) {
      ids.push([...matches.rows.subarray(at, at + matches.perQuery)])
      scores.push([...matches.scores.subarray(at, at + matches.perQuery)])
    }
  }
  console.log(JSON.stringify({ seconds, ids, scores }))
}
