import { z } from 'zod'
import { fingerprintOf, METRICS, type Model } from '../domain/model.ts'
import { PARTIAL_POLICIES } from '../domain/partial.ts'
import { STRATEGIES } from '../domain/plan-services.ts'
import { MOST_SEARCH_THREADS, SEARCH_SETTINGS } from '../domain/shard-search.ts'
import { consoleSchema, findConsoleProblems } from './console-schema.ts'
import { deliverySchema } from './delivery-schema.ts'
import { extractionSchema } from './extraction-schema.ts'
import { ingestSchema } from './ingest-schema.ts'
import { metricsSchema } from './metrics-schema.ts'
import { mlflowSchema } from './mlflow-schema.ts'
import { findModelProblems } from './models.ts'
import { movesSchema, routerSchema } from './move-schema.ts'
import { findStrategyProblems } from './strategy.ts'
import { findSwarmProblems, sshSchema, swarmSchema } from './swarm-schema.ts'
import { tracesSchema } from './traces-schema.ts'

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'expected letters, digits, dots, dashes or underscores')
const share = z.number().min(0).max(1)
const count = z.int().min(1)
const seconds = z.number().positive()
const path = z.string().min(1)

const declaredModel = z.strictObject({
  name,
  version: name,
  dimensions: count.max(65536),
  metric: z.enum(METRICS),
  normalized: z.boolean(),
  fingerprint: z.string().min(1).optional(),
})

const model = declaredModel.transform(identify)

const models = z
  .array(
    declaredModel
      .extend({ extraction: extractionSchema })
      .transform(({ extraction, ...declared }) => ({ ...identify(declared), extraction })),
  )
  .default([])

const node = z.strictObject({
  name,
  host: z.string().min(1).optional(),
  port: z.int().min(1).max(65535).default(22),
  user: z.string().min(1).default('root'),
  relayHost: z.string().min(1).optional(),
  zone: name.optional(),
})

const nodes = z
  .array(node)
  .min(1)
  .refine(
    (list) => new Set(list.map((node) => node.name)).size === list.length,
    'two nodes have the same name',
  )

const form = z.strictObject({
  name,
  engine: z.enum(['local', 'swarm']).default('local'),
  state: path.default('.longshore'),
  generations: path.default('dgs'),
  nodes,
  model,
  extraction: extractionSchema,
  models,
  gateway: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.int().min(0).max(65535).default(14005),
      replicas: count.default(1),
      timeoutSeconds: seconds.default(5),
      partial: z.enum(PARTIAL_POLICIES).default('fail'),
      hedgeShare: share.default(0.05),
      maxInFlight: count.max(65_536).default(256),
      cacheEntries: z.int().min(0).max(1_000_000).default(10_000),
      console: consoleSchema,
    })
    .prefault({}),
  index: z
    .strictObject({
      replicas: count.default(1),
      threads: count.max(MOST_SEARCH_THREADS).optional(),
      search: z.enum(['manifest', 'exact']).default('manifest'),
      filterMegabytes: count.max(65_536).optional(),
    })
    .prefault({}),
  metrics: metricsSchema,
  mlflow: mlflowSchema,
  traces: tracesSchema,
  ssh: sshSchema,
  delivery: deliverySchema,
  swarm: swarmSchema,
  split: z
    .strictObject({
      clusters: count.max(65535).default(4),
      trainingRows: count.default(50_000),
      seed: z.int().min(0).default(1),
      duplicates: z.enum(['keep', 'merge']).default('keep'),
      goldenQueries: count.max(10_000).default(100),
      goldenPairs: path.optional(),
      recallTarget: share.default(0.95),
      search: z.enum(SEARCH_SETTINGS).default('auto'),
      searchRecall: share.default(0.99),
      borderShare: share.default(0),
      threshold: z.number().optional(),
    })
    .prefault({}),
  gates: z
    .strictObject({
      selfRouting: share.default(0.9),
      recall: share.default(0.9),
      golden: share.default(0.95),
      duplicates: share.default(0.5),
      rejects: share.default(0.01),
      sizeChange: z.number().min(0).default(0.5),
      norms: z.number().positive().default(0.001),
      model: share.default(0.99),
      modelLoss: share.default(0.02),
      bridge: share.default(0.9),
      parity: share.default(0.999),
    })
    .prefault({}),
  ingest: ingestSchema,
  update: z
    .strictObject({
      strategy: z.enum(STRATEGIES).default('side-by-side'),
      deadlineSeconds: seconds.default(60),
      soakSeconds: z.number().min(0).default(2),
      keep: z.int().min(0).default(1),
      unreachableNodes: z.enum(['refuse', 'continue']).default('refuse'),
      leaseSeconds: seconds.min(1).default(30),
    })
    .prefault({}),
  router: routerSchema,
  moves: movesSchema,
})

/** What a profile may say. Defaults are those that config/reference.yml shows. */
export const profileSchema = form.superRefine((profile, context) => {
  const problems = [
    ...findModelProblems(profile),
    ...findSwarmProblems(profile),
    ...findConsoleProblems(profile),
    ...findStrategyProblems(profile),
  ]
  for (const problem of problems) context.addIssue({ code: 'custom', ...problem })
})

/** One target environment, with every default filled in. */
export type Profile = z.output<typeof profileSchema>

/** A model as declared; without a fingerprint of its own, the digest of everything that is declared of it. */
function identify({ fingerprint, ...declared }: z.output<typeof declaredModel>): Model {
  return { ...declared, fingerprint: fingerprint ?? fingerprintOf(declared) }
}
