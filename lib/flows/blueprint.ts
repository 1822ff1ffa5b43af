import type { Profile } from '../config/schema.ts'
import { LongshoreError } from '../domain/errors.ts'
import type { Blueprint } from '../domain/plan-services.ts'
import { GROUPS } from '../domain/service.ts'
import { createSpread } from './spread.ts'

/** The services that a profile asks for, with the environment of their tasks. Raises `usage` without an image in a Swarm. */
export function createBlueprint(profile: Profile): Blueprint {
  const { gateway, index, extraction, gates, model, engine, swarm, update } = profile
  const image = engine === 'swarm' ? { IMAGE: findImage(swarm) } : {}
  const MODEL = JSON.stringify(model)
  const spread = createSpread(profile)
  return {
    ...(spread && { spread }),
    strategy: update.strategy,
    gateway: {
      replicas: gateway.replicas,
      port: gateway.port,
      settings: {
        ...image,
        HOST: gateway.host,
        MODEL,
        TIMEOUT_MS: String(Math.round(gateway.timeoutSeconds * 1000)),
        PARTIAL: gateway.partial,
        HEDGE_SHARE: String(gateway.hedgeShare),
        MAX_IN_FLIGHT: String(gateway.maxInFlight),
        CACHE_ENTRIES: String(gateway.cacheEntries),
        CANARY_RECALL: String(gates.recall),
        CANARY_GOLDEN: String(gates.golden),
        CANARY_MODEL: String(gates.model),
        ...(update.strategy === 'replica-groups' && { INDEX_GROUPS: GROUPS.join(',') }),
        ...(extraction.url !== undefined && { EXTRACTION_URL: extraction.url }),
      },
    },
    index: { replicas: index.replicas, settings: { ...image, ...describeSearch(index) } },
    extraction:
      extraction.url === undefined ? { replicas: extraction.replicas, settings: { ...image, MODEL } } : null,
  }
}

/** What an index service would not do by itself: a profile that asks for nothing changes no service that runs. */
function describeSearch({ threads, search, filterMegabytes }: Profile['index']): Record<string, string> {
  return {
    ...(threads !== undefined && { THREADS: String(threads) }),
    ...(search === 'exact' && { SEARCH_KIND: search }),
    ...(filterMegabytes !== undefined && { FILTER_MEMORY_MB: String(filterMegabytes) }),
  }
}

function findImage({ image }: Profile['swarm']): string {
  if (image !== undefined) return image
  throw new LongshoreError(
    'usage',
    'swarm.image: missing in the profile; expected the image of the services',
    {
      hint: 'npx zx scripts/image.mjs --profile FILE brings it to the nodes and prints its name',
    },
  )
}
