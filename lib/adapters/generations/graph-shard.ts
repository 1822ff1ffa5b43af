import { GOLDEN_K } from '../../domain/golden.ts'
import { measureShardRecall } from '../../domain/shard-recall.ts'
import { chooseEffort, EFFORTS } from '../../domain/shard-search.ts'
import { syncFile } from '../files/durable-files.ts'
import { buildGraph, type Graph, openGraph } from '../search/graph.ts'
import { readFileEntry } from './layout.ts'
import { openMatrix } from './mapped-matrix.ts'
import {
  type CheckedShard,
  type CheckJob,
  type IndexedShard,
  locateIndex,
  locateVectors,
  type ShardJob,
} from './shard-job.ts'
import { makeStrangeQueries, type StrangeQueries } from './strange-queries.ts'

/**
 * Builds the index.usearch of a shard, and measures how far it must be searched for a recall of `target`. Golden queries do
 * not tell: they are rows, which a graph finds better than others, and most of them would never be asked here.
 */
export async function indexGraph(job: ShardJob, target: number): Promise<IndexedShard> {
  const { path, full } = locateIndex(job, 'hnsw')
  const { effort: expansion, recall } = useVectors(job, (vectors) => {
    buildGraph(vectors, { dimensions: job.dimensions, metric: job.scoring }, full)
    const asked = makeStrangeQueries(vectors, job)
    return useGraph(job, full, (graph) =>
      chooseEffort(EFFORTS.hnsw, target, (effort) => measureRecall(asked, graph, vectors, effort)),
    )
  })
  await syncFile(full)
  const file = await readFileEntry(job.directory, path)
  return { search: { kind: 'hnsw', expansion, recall }, file }
}

/** Opens the index.usearch of a shard where it is the one of the manifest; recall is 0 otherwise. Raises `corrupt`. */
export async function checkGraph(
  job: CheckJob,
  { expansion }: Extract<CheckJob['search'], { kind: 'hnsw' }>,
): Promise<CheckedShard> {
  const { path, full } = locateIndex(job, 'hnsw')
  const file = await readFileEntry(job.directory, path)
  if (file.sha256 !== job.sha256) return { recall: 0, file }
  const recall = useVectors(job, (vectors) =>
    useGraph(job, full, (graph) =>
      measureRecall(makeStrangeQueries(vectors, job), graph, vectors, expansion),
    ),
  )
  return { recall, file }
}

/** Lends the vectors of a shard as they lie in the page cache. */
function useVectors<T>(job: ShardJob, use: (vectors: Float32Array) => T): T {
  const { values, close } = openMatrix(locateVectors(job), '<f4', [job.items, job.dimensions])
  try {
    return use(values)
  } finally {
    close()
  }
}

function useGraph<T>({ dimensions, scoring, items }: ShardJob, path: string, use: (graph: Graph) => T): T {
  const graph = openGraph(path, { dimensions, metric: scoring, items })
  try {
    return use(graph)
  } finally {
    graph.close()
  }
}

function measureRecall(
  { queries, wanted }: StrangeQueries,
  graph: Graph,
  vectors: Float32Array,
  expansion: number,
): number {
  const { rows, perQuery } = graph.search(vectors, queries, { k: GOLDEN_K, expansion })
  return measureShardRecall(wanted, (query) => rows.subarray(query * perQuery, (query + 1) * perQuery))
}
