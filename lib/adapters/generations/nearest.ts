import type { Metric } from '../../domain/model.ts'
import { innerProduct } from '../../domain/similarity.ts'
import type { BlockScorer } from '../search/block-scorer.ts'

/**
 * A function that tells the nearest centroid of every row that a scorer has loaded; its first queries must be the
 * centroids. Compares by cosine, product or distance; what is the same for all centroids is left out.
 */
export function createNearest(
  scorer: BlockScorer,
  centroids: Float32Array,
  { dimensions, metric }: { readonly dimensions: number; readonly metric: Metric },
): (count: number) => Int32Array {
  const terms = Array.from({ length: centroids.length / dimensions }, (_, cluster) => {
    const centroid = centroids.subarray(cluster * dimensions, (cluster + 1) * dimensions)
    return termsOf(innerProduct(centroid, centroid), metric)
  })
  const best = new Float64Array(scorer.capacity)
  const nearest = new Int32Array(scorer.capacity)
  return (count) => {
    best.fill(Number.NEGATIVE_INFINITY)
    nearest.fill(0)
    for (const [cluster, { scale, offset }] of terms.entries()) {
      const products = scorer.productsOf(cluster)
      for (let row = 0; row < count; row++) {
        const score = products[row]! * scale + offset
        if (score > best[row]!) {
          best[row] = score
          nearest[row] = cluster
        }
      }
    }
    return nearest.subarray(0, count)
  }
}

function termsOf(squaredNorm: number, metric: Metric): { scale: number; offset: number } {
  if (metric === 'l2') return { scale: 2, offset: -squaredNorm }
  if (metric === 'dot' || squaredNorm === 0) return { scale: 1, offset: 0 }
  return { scale: 1 / Math.sqrt(squaredNorm), offset: 0 }
}
