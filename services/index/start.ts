import { LongshoreError } from '../../lib/domain/errors.ts'
import { compareGenerations } from '../../lib/domain/generation.ts'
import { runService, type StartService } from '../http/run-service.ts'
import { createService, READY } from '../http/service.ts'
import { readManifest } from '../read-generation.ts'
import { readNumber } from '../settings.ts'
import { addIndexRoutes } from './routes.ts'
import { createSearcher } from './searcher.ts'

/** Serves the shards of one cluster, of every generation it is told. Raises `not-found`, `corrupt`, `usage`. */
export const startIndex: StartService = async (settings, env, log) => {
  const cluster = readNumber(env, 'CLUSTER')
  const { dataDirectory, generations } = settings
  if (generations.length === 0) throw new LongshoreError('usage', 'GENERATIONS: expected at least one')
  const searcher = createSearcher()
  const base = createService(settings, log, { readiness: () => READY, status: () => ({ cluster }) })
  const manifests = await Promise.all(generations.map((ref) => readManifest(dataDirectory, ref)))
  manifests.sort((a, b) => compareGenerations(a.generation, b.generation))
  await searcher.open({ dataDirectory, cluster, manifests })
  addIndexRoutes(base.app, { cluster, manifests, searcher })
  return await runService(base, { settings, log })
}
