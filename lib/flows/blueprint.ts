import type { Profile } from '../config/schema.ts'
import type { Blueprint } from '../domain/plan-services.ts'

/** The services that a profile asks for, with the environment of their tasks. */
export function createBlueprint(profile: Profile): Blueprint {
  const { gateway, index, extraction, gates, model } = profile
  const MODEL = JSON.stringify(model)
  return {
    gateway: {
      replicas: gateway.replicas,
      port: gateway.port,
      settings: {
        HOST: gateway.host,
        MODEL,
        TIMEOUT_MS: String(Math.round(gateway.timeoutSeconds * 1000)),
        CANARY_RECALL: String(gates.recall),
        CANARY_GOLDEN: String(gates.golden),
        CANARY_MODEL: String(gates.model),
        ...(extraction.url !== undefined && { EXTRACTION_URL: extraction.url }),
      },
    },
    index: { replicas: index.replicas, settings: {} },
    extraction: extraction.url === undefined ? { replicas: extraction.replicas, settings: { MODEL } } : null,
  }
}
