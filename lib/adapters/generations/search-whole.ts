import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseGolden } from '../../domain/golden.ts'
import { GOLDEN_FILE } from '../../domain/manifest.ts'
import { NEIGHBOURS_KEPT } from '../../domain/recall.ts'
import type { GenerationSearch } from '../../ports/generation-search.ts'
import { readCentroids } from './centroids.ts'
import { scanShards } from './scan.ts'
import { openShards } from './shard-reader.ts'
import { Workers } from './workers.ts'

/** Searches the generations below one directory as gates do: all vectors are read once, by threads. */
export function createGenerationSearch(root: string): GenerationSearch {
  return {
    async readGolden({ generation, model }) {
      const path = join(root, generation, GOLDEN_FILE)
      return parseGolden(await readFile(path, 'utf8'), path, model.dimensions)
    },
    async search({ generation, clusters, model }, queries, { k, signal }) {
      if (k > NEIGHBOURS_KEPT) throw new RangeError(`k is ${k}, expected at most ${NEIGHBOURS_KEPT}`)
      const directory = join(root, generation)
      const { dimensions } = model
      const centroids = await readCentroids(directory, { clusters: clusters.length, dimensions })
      const workers = new Workers()
      const reader = openShards(directory, clusters, dimensions)
      try {
        const job = { directory, model, clusters, centroids, queries }
        const { matches } = await workers.use(signal, (threads) => scanShards(job, threads))
        return matches.map((best) =>
          best.slice(0, k).map(({ shard, row, score }) => ({ id: reader.readItem(shard, row).id, score })),
        )
      } finally {
        reader.close()
        await workers.stop()
      }
    },
  }
}
