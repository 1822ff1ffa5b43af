import { extractionServiceName, GATEWAY, indexServiceName } from '../../../lib/domain/service.ts'
import type { GenerationsParts } from './generations.ts'

/** What Prometheus' HTTP discovery reads: addresses, and labels for all that is read there. */
export type ScrapeTarget = {
  readonly targets: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

/** Where metrics of the services are that this gateway works with, its own service among them. */
export function listScrapeTargets({
  catalog,
  discovery,
  groups,
}: Pick<GenerationsParts, 'catalog' | 'discovery' | 'groups'>): ScrapeTarget[] {
  const { clusters, model } = catalog.manifest
  const indexes = clusters.flatMap(({ id }) => groups.map((group) => indexServiceName(id, group)))
  return [GATEWAY, extractionServiceName(model), ...indexes].map((name) => ({
    targets: discovery.endpointsOf(name).map((url) => new URL(url).host),
    labels: { longshore_service: name },
  }))
}
