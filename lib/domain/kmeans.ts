import { createMeanBuilder, isFiniteRow } from './clusters.ts'
import type { Metric } from './model.ts'
import { createRandom } from './random.ts'
import { innerProduct } from './similarity.ts'

/** Compares blocks of rows with a fixed set of vectors; adapters have a fast one. */
export type Scorer = {
  /** Loads the first rows of `rows`, as many as fit, and returns how many. */
  load(rows: Float32Array): number
  /** Inner products of one of the vectors with every loaded row. */
  productsOf(vector: number): Float32Array
}

export type TrainingOptions = {
  readonly clusters: number
  readonly dimensions: number
  readonly metric: Metric
  readonly seed: number
  readonly createScorer: (vectors: Float32Array, dimensions: number) => Scorer
}

const ROUNDS = 24
/** How strongly a round pushes rows out of clusters that are too large, in units of the rows' mean gap. */
const PRESSURE = 0.5

/**
 * Centroids [clusters, dimensions] of about evenly large clusters, from a sample of rows [n, dimensions]: spherical
 * k-means (plain for l2) whose assignment penalises large clusters while it trains. What counts in the end is the plain
 * nearest centroid, so the round whose plain clusters are most even wins. The same sample and seed give the same
 * centroids. Sources: Dhillon and Modha 2001 (spherical), Arthur and Vassilvitskii 2007 (k-means++ seeding).
 */
export function trainClusters(sample: Float32Array, options: TrainingOptions): Float32Array {
  const { clusters, dimensions, metric } = options
  const rows = prepareRows(sample, options)
  const count = rows.length / dimensions
  const target = count / clusters
  const penalties = new Float64Array(clusters)
  let centroids = seedCentroids(rows, options)
  let best = { centroids, largest: Number.POSITIVE_INFINITY }
  for (let round = 0; round < ROUNDS; round++) {
    const { homes, plainSizes, sizes, gap } = assign(rows, centroids, penalties, options)
    const largest = Math.max(...plainSizes)
    if (largest <= best.largest) best = { centroids, largest }
    for (let cluster = 0; cluster < clusters; cluster++) {
      penalties[cluster]! += PRESSURE * gap * Math.max(-1, Math.min(1, sizes[cluster]! / target - 1))
    }
    centroids = meansOf(rows, homes, centroids, dimensions)
    if (metric !== 'l2') normalizeRows(centroids, dimensions)
  }
  return best.centroids
}

function prepareRows(sample: Float32Array, { dimensions, metric }: TrainingOptions): Float32Array {
  const rows = new Float32Array(sample.length)
  let length = 0
  for (let at = 0; at < sample.length; at += dimensions) {
    const row = sample.subarray(at, at + dimensions)
    if (!isFiniteRow(row)) continue
    rows.set(row, length)
    length += dimensions
  }
  const finite = rows.subarray(0, length)
  if (metric !== 'l2') normalizeRows(finite, dimensions)
  return finite
}

/** k-means++: each further centroid is a row drawn with a probability that grows with its squared distance. */
function seedCentroids(rows: Float32Array, options: TrainingOptions): Float32Array {
  const { clusters, dimensions, seed, createScorer } = options
  const count = rows.length / dimensions
  const random = createRandom(seed)
  const centroids = new Float32Array(clusters * dimensions)
  const squared = squaredNorms(rows, dimensions)
  const distances = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  let chosen = Math.floor(random() * count)
  for (let cluster = 0; ; ) {
    const centroid = rows.slice(chosen * dimensions, (chosen + 1) * dimensions)
    centroids.set(centroid, cluster * dimensions)
    if (++cluster === clusters) return centroids
    const scorer = createScorer(centroid, dimensions)
    forEachBlock(rows, dimensions, scorer, (first, size) => {
      const products = scorer.productsOf(0)
      for (let row = 0; row < size; row++) {
        const distance = squared[first + row]! + squared[chosen]! - 2 * products[row]!
        distances[first + row] = Math.max(0, Math.min(distances[first + row]!, distance))
      }
    })
    chosen = draw(distances, random)
  }
}

function draw(weights: Float64Array, random: () => number): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let left = random() * total
  const found = weights.findIndex((weight) => {
    left -= weight
    return left < 0
  })
  return found >= 0 ? found : Math.floor(random() * weights.length)
}

type Assignment = {
  /** The cluster of every row, by its score less the penalty of the cluster. */
  readonly homes: Int32Array
  readonly sizes: Float64Array
  /** Sizes if every row went to its nearest centroid. */
  readonly plainSizes: Float64Array
  /** Mean difference between the best and the second best score. */
  readonly gap: number
}

function assign(
  rows: Float32Array,
  centroids: Float32Array,
  penalties: Float64Array,
  { clusters, dimensions, metric, createScorer }: TrainingOptions,
): Assignment {
  const count = rows.length / dimensions
  const homes = new Int32Array(count)
  const sizes = new Float64Array(clusters)
  const plainSizes = new Float64Array(clusters)
  const offsets = squaredNorms(centroids, dimensions).map((norm) => (metric === 'l2' ? norm / 2 : 0))
  const scores = new Float64Array(clusters)
  const scorer = createScorer(centroids, dimensions)
  let gaps = 0
  forEachBlock(rows, dimensions, scorer, (first, size) => {
    const products = Array.from({ length: clusters }, (_, cluster) => scorer.productsOf(cluster))
    for (let row = 0; row < size; row++) {
      for (let cluster = 0; cluster < clusters; cluster++) {
        scores[cluster] = products[cluster]![row]! - offsets[cluster]!
      }
      const { home, nearest, gap } = chooseHome(scores, penalties)
      homes[first + row] = home
      sizes[home]! += 1
      plainSizes[nearest]! += 1
      gaps += gap
    }
  })
  return { homes, sizes, plainSizes, gap: gaps / count }
}

/** The best cluster with and without penalties, and how much better it is than the second without. */
function chooseHome(
  scores: Float64Array,
  penalties: Float64Array,
): { home: number; nearest: number; gap: number } {
  let [home, nearest, second] = [0, 0, Number.NEGATIVE_INFINITY]
  for (let cluster = 1; cluster < scores.length; cluster++) {
    const score = scores[cluster]!
    if (score - penalties[cluster]! > scores[home]! - penalties[home]!) home = cluster
    if (score > scores[nearest]!) {
      second = scores[nearest]!
      nearest = cluster
    } else if (score > second) second = score
  }
  return { home, nearest, gap: scores.length === 1 ? 0 : scores[nearest]! - second }
}

function meansOf(
  rows: Float32Array,
  homes: Int32Array,
  former: Float32Array,
  dimensions: number,
): Float32Array {
  const builder = createMeanBuilder(former.length / dimensions, dimensions)
  builder.add(rows, homes)
  return builder.means(former)
}

function forEachBlock(
  rows: Float32Array,
  dimensions: number,
  scorer: Scorer,
  visit: (first: number, size: number) => void,
): void {
  for (let first = 0; first * dimensions < rows.length; ) {
    const size = scorer.load(rows.subarray(first * dimensions))
    visit(first, size)
    first += size
  }
}

function squaredNorms(rows: Float32Array, dimensions: number): Float64Array {
  return Float64Array.from({ length: rows.length / dimensions }, (_, index) => {
    const row = rows.subarray(index * dimensions, (index + 1) * dimensions)
    return innerProduct(row, row)
  })
}

function normalizeRows(rows: Float32Array, dimensions: number): void {
  for (const [index, squared] of squaredNorms(rows, dimensions).entries()) {
    if (squared === 0) continue
    const norm = Math.sqrt(squared)
    const end = (index + 1) * dimensions
    for (let at = index * dimensions; at < end; at++) rows[at]! /= norm
  }
}
