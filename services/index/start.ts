import { LongshoreError } from '../../lib/domain/errors.ts'
import { compareGenerations } from '../../lib/domain/generation.ts'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { runService, type StartService } from '../http/run-service.ts'
import { createService, READY } from '../http/service.ts'
import { readManifest } from '../read-generation.ts'
import { readNumber } from '../settings.ts'
import { checkShard } from './check.ts'
import { addIndexRoutes } from './routes.ts'
import { createSearcher, type Searcher } from './searcher.ts'

/**
 * Serves the shards of one cluster, of every generation it is told; with SELF_CHECK only once it has answered their golden
 * queries rightly. Raises `not-found`, `corrupt`, `usage`.
 */
export const startIndex: StartService = async (settings, env, log) => {
  const cluster = readNumber(env, 'CLUSTER')
  const { dataDirectory, generations } = settings
  if (generations.length === 0) throw new LongshoreError('usage', 'GENERATIONS: expected at least one')
  const searcher = createSearcher()
  const base = createService(settings, log, { readiness: () => READY, status: () => ({ cluster }) })
  const manifests = await Promise.all(generations.map((ref) => readManifest(dataDirectory, ref)))
  manifests.sort((a, b) => compareGenerations(a.generation, b.generation))
  await searcher.open({ dataDirectory, cluster, manifests })
  if (env.SELF_CHECK) for (const manifest of manifests) await checkBefore(searcher, manifest, cluster)
  addIndexRoutes(base.app, { cluster, manifests, searcher })
  return await runService(base, { settings, log })
}

async function checkBefore(searcher: Searcher, manifest: Manifest, cluster: number): Promise<void> {
  const { passed, problem } = await checkShard(searcher, manifest, cluster, new AbortController().signal)
  if (passed) return
  throw new LongshoreError('corrupt', `${manifest.generation} does not pass its golden queries: ${problem}`)
}
