import { createHttpClient } from '../../lib/adapters/http/client.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { normalizeLexical } from '../../lib/domain/lexical.ts'
import { PARTIAL_POLICIES, type PartialPolicy } from '../../lib/domain/partial.ts'
import { GROUPS, type Group } from '../../lib/domain/service.ts'
import { createAdmission } from '../http/admission.ts'
import type { Log } from '../http/log.ts'
import { runService, type StartService } from '../http/run-service.ts'
import { createService } from '../http/service.ts'
import { readNumber, readServedModels } from '../settings.ts'
import { traceRequests } from '../trace/trace-requests.ts'
import { createAnswerCache } from './answer-cache.ts'
import { createAnswers } from './answers.ts'
import { readCatalog } from './catalog.ts'
import { createFileDiscovery, type Discovery } from './discovery.ts'
import { createDnsDiscovery } from './dns-discovery.ts'
import { createGatewayMetrics } from './gateway-metrics.ts'
import { createIndexClient } from './index-client.ts'
import { createQueryEmbedder } from './query-embedder.ts'
import { addGatewayRoutes } from './routes.ts'
import { createSearch } from './search.ts'
import { createShardCounters } from './shard-counters.ts'
import { type Canary, startCanary } from './watch-canary.ts'

/**
 * Tasks are near: an address that lets one wait for longer is that of a task that has ended. DNS may keep telling it,
 * above all while its service has no other task.
 */
const CONNECT_MS = 1_000
const CACHE_BYTES = 64 << 20
/** So much of the time that a query may take, it takes at most while more come than can be answered. */
const TARGET_SHARE = 0.1

/** Answers queries from one generation. Raises `usage`, `not-found`, and `corrupt` when its files are not whole. */
export const startGateway: StartService = async (settings, env, log) => {
  const { timeoutMs, generations } = settings
  const [ref] = generations
  if (!ref || generations.length > 1) {
    throw new LongshoreError('usage', `GENERATIONS: expected exactly one, found ${generations.length}`)
  }
  const catalog = await readCatalog(settings.dataDirectory, ref)
  const discovery = createDiscovery(env, log)
  const client = traceRequests(createHttpClient({ connectMs: CONNECT_MS }))
  const models = readServedModels(env)
  const { embedder, served } = createQueryEmbedder({ catalog, models, discovery, client, timeoutMs })
  const counters = createShardCounters()
  const askShard = createIndexClient({
    ref,
    groups: readGroups(env),
    discovery,
    client,
    attemptMs: timeoutMs / 2,
    hedgeShare: readNumber(env, 'HEDGE_SHARE', 0.05),
    counters,
  })
  const { nprobe } = catalog.manifest.routing
  const base = createService(settings, log, {
    readiness: () => canary.readiness(),
    status: () => ({ nprobe, canary: canary.state() }),
    admission: createAdmission({
      most: readNumber(env, 'MAX_IN_FLIGHT', 256),
      targetMs: timeoutMs * TARGET_SHARE,
    }),
  })
  const cache = createAnswerCache({ entries: readNumber(env, 'CACHE_ENTRIES', 10_000), bytes: CACHE_BYTES })
  const metrics = createGatewayMetrics(base.register, { counters, cache })
  const search = createSearch({ catalog, embedder, askShard, metrics })
  const limits = {
    recall: readNumber(env, 'CANARY_RECALL', 0.9),
    golden: readNumber(env, 'CANARY_GOLDEN', 0.95),
    model: readNumber(env, 'CANARY_MODEL', 0.99),
  }
  const canary: Canary = startCanary({
    catalog,
    search,
    limits,
    // A model that the profile does not know is told by what it differs in from the first that it does.
    model: served ?? models[0],
    timeoutMs,
    log,
  })
  // The built-in model embeds by what normalizeLexical keeps; how another one sees a text is not known.
  const normalize = served?.server?.url || served?.isOnnx ? (text: string) => text : normalizeLexical
  const answers = createAnswers({ ref, search, cache, normalize, metrics, timeoutMs })
  addGatewayRoutes(base.app, { catalog, answers, readiness: canary.readiness, partial: readPartial(env) })
  if (env.CONSOLE) {
    const { addConsole } = await import('./console/start.ts')
    const parts = {
      dataDirectory: settings.dataDirectory,
      groups: readGroups(env),
      partial: readPartial(env),
    }
    addConsole(base.app, { ...parts, env, catalog, discovery, client, models, timeoutMs, log })
  }
  return await runService(base, { settings, log, ready: canary.passed })
}

/** What becomes of queries when a shard does not answer. Raises `usage`. */
function readPartial({ PARTIAL = 'fail' }: NodeJS.ProcessEnv): PartialPolicy {
  const known = PARTIAL_POLICIES.find((policy) => policy === PARTIAL)
  if (known) return known
  throw new LongshoreError('usage', `PARTIAL: expected ${PARTIAL_POLICIES.join(' or ')}, found "${PARTIAL}"`)
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
