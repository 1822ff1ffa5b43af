import type { Metric } from './model.ts'
import { innerProduct, scoreOf } from './similarity.ts'

/**
 * The order in which a query asks the clusters, nearest centroid first, as rows of `centroids` [clusters, dimensions].
 * Centroids need no unit length: cosine divides by it. Equally near ones keep their order.
 */
export function orderClusters(query: ArrayLike<number>, centroids: Float32Array, metric: Metric): number[] {
  const dimensions = query.length
  const squaredA = innerProduct(query, query)
  const scores = Array.from({ length: centroids.length / dimensions }, (_, cluster) => {
    const centroid = centroids.subarray(cluster * dimensions, (cluster + 1) * dimensions)
    const product = innerProduct(query, centroid)
    return scoreOf(metric, { product, squaredA, squaredB: innerProduct(centroid, centroid) })
  })
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b)
}

/** Sums rows by cluster, to find the centroid that belongs to each. */
export type MeanBuilder = {
  /** Adds rows [n, dimensions] with the cluster of each; rows that are not finite are left out. */
  add(rows: Float32Array, clusters: Int32Array): void
  /** The means [clusters, dimensions]; a cluster without rows keeps its row of `former`. */
  means(former: Float32Array): Float32Array
}

/** A builder of the mean of every cluster's rows, summed in float64. */
export function createMeanBuilder(clusterCount: number, dimensions: number): MeanBuilder {
  const sums = new Float64Array(clusterCount * dimensions)
  const counts = new Float64Array(clusterCount)
  return {
    add(rows, clusters) {
      for (const [index, cluster] of clusters.entries()) {
        const row = rows.subarray(index * dimensions, (index + 1) * dimensions)
        if (!isFiniteRow(row)) continue
        counts[cluster]! += 1
        const start = cluster * dimensions
        for (let column = 0; column < dimensions; column++) sums[start + column]! += row[column]!
      }
    },
    means(former) {
      return former.map((value, at) => {
        const count = counts[Math.floor(at / dimensions)]!
        return count === 0 ? value : sums[at]! / count
      })
    },
  }
}

/** Whether no value of a row is NaN or infinite. */
export function isFiniteRow(row: Float32Array): boolean {
  let sum = 0
  for (let column = 0; column < row.length; column++) sum += row[column]! * 0
  return sum === 0
}
