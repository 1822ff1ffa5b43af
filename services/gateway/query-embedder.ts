import { createEmbeddingServer } from '../../lib/adapters/embed/create-server.ts'
import { createServerEmbedder } from '../../lib/adapters/embed/server-embedder.ts'
import type { HttpConnections } from '../../lib/adapters/http/client.ts'
import { queryModelOf } from '../../lib/domain/bridge.ts'
import { extractionServiceName } from '../../lib/domain/service.ts'
import type { Embedder } from '../../lib/ports/embedder.ts'
import type { ServedModel } from '../settings.ts'
import type { Catalog } from './catalog.ts'
import type { Discovery } from './discovery.ts'

export type QueryEmbedderParts = {
  readonly catalog: Pick<Catalog, 'manifest'>
  readonly models: readonly ServedModel[]
  readonly discovery: Discovery
  readonly client: HttpConnections
  readonly timeoutMs: number
}

export type QueryEmbedder = {
  readonly embedder: Embedder
  /** The model as the profile knows it, if it does. */
  readonly served: ServedModel | undefined
}

/** What embeds the queries of a generation: the server that the profile names, or the extraction service of their model. */
export function createQueryEmbedder(parts: QueryEmbedderParts): QueryEmbedder {
  const { catalog, models, discovery, client, timeoutMs } = parts
  const model = queryModelOf(catalog.manifest)
  const served = models.find(({ fingerprint }) => fingerprint === model.fingerprint)
  const { url, ...extraction } = served?.server ?? { protocol: 'tf-serving' as const }
  const server = createEmbeddingServer({
    endpoints: () => (url ? [url] : discovery.endpointsOf(extractionServiceName(model))),
    ...{ model, extraction, timeoutMs, client },
  })
  return { embedder: createServerEmbedder(server, model.dimensions), served }
}
