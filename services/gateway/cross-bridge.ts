import { crossBridge } from '../../lib/domain/bridge.ts'
import type { Catalog } from './catalog.ts'
import type { Queries } from './search-body.ts'

/** An embedding of the queries' model in the space of the generation. */
export type Crossing = (vector: Float32Array) => Float32Array

/** Leads embeddings over the bridge of a generation; without one they stay as they are. */
export function createCrossing({ manifest, bridge }: Pick<Catalog, 'manifest' | 'bridge'>): Crossing {
  return bridge ? (vector) => crossBridge(bridge, vector, manifest.model) : (vector) => vector
}

/** Queries in the space of the generation; texts are led there when they are embedded. */
export function crossQueries(queries: Queries, cross: Crossing): Queries {
  return 'texts' in queries ? queries : { vectors: queries.vectors.map(cross) }
}
