import type { FastifyInstance } from 'fastify'
import { messageOf } from '../../../lib/domain/errors.ts'
import type { PartialPolicy } from '../../../lib/domain/partial.ts'
import { GATEWAY } from '../../../lib/domain/service.ts'
import type { Log } from '../../http/log.ts'
import type { Environment } from '../../settings.ts'
import { createFactsSource, type DatedFacts } from './facts.ts'
import { makeGalleryMap } from './gallery-map.ts'
import { createGenerations, type GenerationsParts } from './generations.ts'
import { addPages } from './pages.ts'
import { addConsoleRoutes, PASSED_ON } from './routes.ts'
import { listScrapeTargets } from './scrape-targets.ts'
import { parseConsoleSettings } from './settings.ts'

export type ConsoleOptions = GenerationsParts & {
  readonly env: Environment
  readonly partial: PartialPolicy
  readonly log: Log
}

const PASS_ON_MS = 5_000

/** Adds the console to a gateway: the page, and what it asks. Raises `usage` for settings that cannot be read. */
export function addConsole(app: FastifyInstance, options: ConsoleOptions): void {
  const { env, catalog, discovery, client, groups, log } = options
  const settings = parseConsoleSettings(env)
  const facts = createFactsSource(settings)
  // DNS is asked in time for the first facts that are to be handed on.
  if (facts.take) discovery.endpointsOf(GATEWAY)
  const passOn = (told: DatedFacts, authorization: string) => {
    for (const endpoint of discovery.endpointsOf(GATEWAY)) {
      client
        .post(`${endpoint}/console/v1/facts`, {
          body: JSON.stringify(told),
          contentType: 'application/json',
          headers: { authorization, [PASSED_ON]: '1' },
          signal: AbortSignal.timeout(PASS_ON_MS),
        })
        .catch((error: unknown) => log('facts_not_passed_on', { endpoint, message: messageOf(error) }))
    }
  }
  addPages(app)
  app.register(async (scope) =>
    addConsoleRoutes(scope, {
      ...{ settings, facts, passOn, partial: options.partial, timeoutMs: options.timeoutMs },
      targets: () => listScrapeTargets(options),
      served: catalog.ref.name,
      generations: createGenerations(options),
      makeMap: ({ catalog: { manifest } }) => makeGalleryMap({ manifest, discovery, client, groups }),
    }),
  )
}
