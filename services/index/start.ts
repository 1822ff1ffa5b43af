import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { compareGenerations } from '../../lib/domain/generation.ts'
import { type Manifest, shardDirectory } from '../../lib/domain/manifest.ts'
import { runService, type StartService } from '../http/run-service.ts'
import { createService, READY } from '../http/service.ts'
import { readManifest } from '../read-generation.ts'
import { readNumber, type Settings } from '../settings.ts'
import { checkShard } from './check.ts'
import { addExportRoutes } from './export.ts'
import { createFilters } from './filters.ts'
import { createIndexMetrics } from './index-metrics.ts'
import { readIndexSettings } from './index-settings.ts'
import { addIndexRoutes } from './routes.ts'
import { addSampleRoute } from './sample.ts'
import { createSearcher, type Searcher, startSearchThreads } from './searcher.ts'

/**
 * Serves the shards of one cluster, of every generation it is told; with SELF_CHECK only once it has answered their golden
 * queries rightly. Raises `not-found`, `corrupt`, `usage`.
 */
export const startIndex: StartService = async (settings, env, log) => {
  const cluster = readNumber(env, 'CLUSTER')
  const { threads, isExact, filterBytes, restAfterMs } = readIndexSettings(env, availableParallelism())
  const { dataDirectory, generations } = settings
  if (generations.length === 0) throw new LongshoreError('usage', 'GENERATIONS: expected at least one')
  const base = createService(settings, log, { readiness: () => READY, status: () => ({ cluster }) })
  const metrics = createIndexMetrics(base.register)
  const searcher = createSearcher(startSearchThreads(threads), { restAfterMs, metrics, log })
  metrics.watch(searcher)
  const manifests = await Promise.all(generations.map((ref) => readManifest(dataDirectory, ref)))
  for (const manifest of manifests) checkHeld(settings, manifest, cluster)
  manifests.sort((a, b) => compareGenerations(a.generation, b.generation))
  const filters = createFilters({ dataDirectory, cluster, manifests, limit: filterBytes })
  await searcher.open({ dataDirectory, cluster, manifests, isExact })
  if (env.SELF_CHECK) for (const manifest of manifests) await checkBefore(searcher, manifest, cluster)
  addIndexRoutes(base.app, { cluster, manifests, searcher, filters })
  addExportRoutes(base.app, { dataDirectory, cluster, manifests })
  addSampleRoute(base.app, { dataDirectory, cluster, manifests })
  return await runService(base, { settings, log })
}

/** A node may hold only some shards of a generation: what is not there is told as that, and nothing is answered. */
function checkHeld({ dataDirectory, node }: Settings, manifest: Manifest, cluster: number): void {
  const { generation, clusters } = manifest
  if (!clusters.some(({ id }) => id === cluster)) return
  if (existsSync(join(dataDirectory, generation, shardDirectory(cluster)))) return
  throw new LongshoreError(
    'corrupt',
    `${node} does not hold the shard of cluster ${cluster} of ${generation}`,
    {
      hint: `deliver.mjs ${generation} brings it to where it belongs`,
    },
  )
}

async function checkBefore(searcher: Searcher, manifest: Manifest, cluster: number): Promise<void> {
  const { passed, problem } = await checkShard(searcher, manifest, cluster, new AbortController().signal)
  if (passed) return
  throw new LongshoreError('corrupt', `${manifest.generation} does not pass its golden queries: ${problem}`)
}
