import { createTfServingEmbedder } from '../../lib/adapters/embed/tf-serving.ts'
import { createHttpClient } from '../../lib/adapters/http/client.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { EXTRACTION, GROUPS, type Group } from '../../lib/domain/service.ts'
import type { Log } from '../http/log.ts'
import { runService, type StartService } from '../http/run-service.ts'
import { createService } from '../http/service.ts'
import { readModel, readNumber } from '../settings.ts'
import { readCatalog } from './catalog.ts'
import { createFileDiscovery, type Discovery } from './discovery.ts'
import { createDnsDiscovery } from './dns-discovery.ts'
import { createIndexClient } from './index-client.ts'
import { addGatewayRoutes } from './routes.ts'
import { createSearch } from './search.ts'
import { type Canary, startCanary } from './watch-canary.ts'

/**
 * Tasks are near: an address that lets one wait for longer is that of a task that has ended. DNS may keep telling it,
 * above all while its service has no other task.
 */
const CONNECT_MS = 1_000

/** Answers queries from one generation. Raises `usage`, `not-found`, and `corrupt` when its files are not whole. */
export const startGateway: StartService = async (settings, env, log) => {
  const { timeoutMs, generations } = settings
  const [ref] = generations
  if (!ref || generations.length > 1) {
    throw new LongshoreError('usage', `GENERATIONS: expected exactly one, found ${generations.length}`)
  }
  const catalog = await readCatalog(settings.dataDirectory, ref)
  const discovery = createDiscovery(env, log)
  const client = createHttpClient({ connectMs: CONNECT_MS })
  const url = env.EXTRACTION_URL
  const embedder = createTfServingEmbedder({
    endpoints: () => (url ? [url] : discovery.endpointsOf(EXTRACTION)),
    model: catalog.manifest.model,
    timeoutMs,
    client,
  })
  const askShard = createIndexClient({
    ref,
    groups: readGroups(env),
    discovery,
    client,
    attemptMs: timeoutMs / 2,
  })
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

/** Where the other services are: what DNS tells in a Swarm, or what a file tells. Raises `usage`. */
function createDiscovery(env: NodeJS.ProcessEnv, log: Log): Discovery {
  if (env.ENDPOINTS_DNS) return createDnsDiscovery({ prefix: env.ENDPOINTS_DNS, log })
  if (env.ENDPOINTS_FILE) return createFileDiscovery(env.ENDPOINTS_FILE, log)
  throw new LongshoreError(
    'usage',
    'ENDPOINTS_DNS: expected a prefix, or ENDPOINTS_FILE: a path; found neither',
  )
}

/** The groups of every shard's replicas, for example `a,b`; one where nothing is told. Raises `usage`. */
function readGroups({ INDEX_GROUPS = 'a' }: NodeJS.ProcessEnv): readonly Group[] {
  const asked = INDEX_GROUPS.split(',')
  const known = GROUPS.filter((group) => asked.includes(group))
  if (known.length === asked.length) return known
  throw new LongshoreError(
    'usage',
    `INDEX_GROUPS: expected some of ${GROUPS.join(',')}, found "${INDEX_GROUPS}"`,
  )
}
