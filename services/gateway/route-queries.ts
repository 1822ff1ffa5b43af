import { innerProduct, scoreOf } from '../../lib/domain/similarity.ts'
import type { Catalog } from './catalog.ts'

/** A cluster that a query asks, and the score of its centroid. */
export type RoutedCluster = { readonly cluster: number; readonly score: number }

/** The nprobe clusters that each query asks, in the order of orderClusters. */
export type Router = (vectors: readonly Float32Array[], nprobe: number) => RoutedCluster[][]

/** A router that knows the squares of all centroids beforehand. */
export function createRouter({ manifest, centroids }: Pick<Catalog, 'manifest' | 'centroids'>): Router {
  const { dimensions, metric } = manifest.model
  const known = manifest.clusters.map(({ id }, row) => {
    const centroid = centroids.subarray(row * dimensions, (row + 1) * dimensions)
    return { id, centroid, squaredB: innerProduct(centroid, centroid) }
  })
  return (vectors, nprobe) =>
    vectors.map((vector) => {
      const squaredA = innerProduct(vector, vector)
      const scored = known.map(({ id, centroid, squaredB }) => {
        const product = innerProduct(vector, centroid)
        return { cluster: id, score: scoreOf(metric, { product, squaredA, squaredB }) }
      })
      return scored.sort((a, b) => b.score - a.score).slice(0, nprobe)
    })
}
