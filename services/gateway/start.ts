import { createTfServingEmbedder } from '../../lib/adapters/embed/tf-serving.ts'
import { createHttpClient } from '../../lib/adapters/http/client.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { EXTRACTION } from '../../lib/domain/service.ts'
import { runService, type StartService } from '../http/run-service.ts'
import { createService } from '../http/service.ts'
import { readModel, readNumber } from '../settings.ts'
import { readCatalog } from './catalog.ts'
import { createFileDiscovery } from './discovery.ts'
import { createIndexClient } from './index-client.ts'
import { addGatewayRoutes } from './routes.ts'
import { createSearch } from './search.ts'
import { type Canary, startCanary } from './watch-canary.ts'

/** Answers queries from one generation. Raises `usage`, `not-found`, and `corrupt` when its files are not whole. */
export const startGateway: StartService = async (settings, env, log) => {
  const { timeoutMs, generations } = settings
  const [ref] = generations
  if (!ref || generations.length > 1) {
    throw new LongshoreError('usage', `GENERATIONS: expected exactly one, found ${generations.length}`)
  }
  if (!env.ENDPOINTS_FILE) throw new LongshoreError('usage', 'ENDPOINTS_FILE: expected a path, found nothing')
  const catalog = await readCatalog(settings.dataDirectory, ref)
  const discovery = createFileDiscovery(env.ENDPOINTS_FILE, log)
  const client = createHttpClient()
  const url = env.EXTRACTION_URL
  const embedder = createTfServingEmbedder({
    endpoints: () => (url ? [url] : discovery.endpointsOf(EXTRACTION)),
    model: catalog.manifest.model,
    timeoutMs,
    client,
  })
  const askShard = createIndexClient({ ref, discovery, client, attemptMs: timeoutMs / 2 })
  const search = createSearch(catalog, embedder, askShard)
  const limits = {
    recall: readNumber(env, 'CANARY_RECALL', 0.9),
    golden: readNumber(env, 'CANARY_GOLDEN', 0.95),
    model: readNumber(env, 'CANARY_MODEL', 0.99),
  }
  const canary: Canary = startCanary({
    catalog,
    search,
    limits,
    model: readModel(env),
    timeoutMs,
    log,
  })
  const { nprobe } = catalog.manifest.routing
  const { readiness } = canary
  const base = createService(settings, log, { readiness, status: () => ({ nprobe, canary: canary.state() }) })
  addGatewayRoutes(base.app, { catalog, search, readiness, timeoutMs })
  return await runService(base, { settings, log, ready: canary.passed })
}
