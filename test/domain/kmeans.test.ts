import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { orderClusters } from '../../lib/domain/clusters.ts'
import { type Scorer, trainClusters } from '../../lib/domain/kmeans.ts'
import type { Metric } from '../../lib/domain/model.ts'
import { createRandom } from '../../lib/domain/random.ts'
import { innerProduct } from '../../lib/domain/similarity.ts'

const DIMENSIONS = 8

/** The plainest scorer there is. */
function createScorer(vectors: Float32Array, dimensions: number): Scorer {
  let rows = new Float32Array()
  const rowOf = (from: Float32Array, row: number) => from.subarray(row * dimensions, (row + 1) * dimensions)
  return {
    load(given) {
      rows = given.slice(0, 100 * dimensions)
      return rows.length / dimensions
    },
    productsOf: (vector) =>
      Float32Array.from({ length: rows.length / dimensions }, (_, row) =>
        innerProduct(rowOf(rows, row), rowOf(vectors, vector)),
      ),
  }
}

function train(sample: Float32Array, clusters: number, metric: Metric = 'cosine', seed = 1): Float32Array {
  return trainClusters(sample, { clusters, dimensions: DIMENSIONS, metric, seed, createScorer })
}

function countPlain(sample: Float32Array, centroids: Float32Array, metric: Metric = 'cosine'): number[] {
  const counts = new Array<number>(centroids.length / DIMENSIONS).fill(0)
  for (let at = 0; at < sample.length; at += DIMENSIONS) {
    counts[orderClusters(sample.subarray(at, at + DIMENSIONS), centroids, metric)[0]!]! += 1
  }
  return counts.sort((a, b) => a - b)
}

/** Unit vectors without structure. */
function makeSample(rows: number): Float32Array {
  const random = createRandom(7)
  return Float32Array.from({ length: rows * DIMENSIONS }, () => random() - 0.5)
}

test('finds groups that lie apart, whatever their length', () => {
  const random = createRandom(3)
  const sample = new Float32Array(300 * DIMENSIONS)
  for (let row = 0; row < 300; row++) {
    const length = 1 + random() * 5
    for (let column = 0; column < DIMENSIONS; column++) {
      sample[row * DIMENSIONS + column] = length * ((column === row % 3 ? 1 : 0) + 0.1 * random())
    }
  }
  assert.equal(countPlain(sample, train(sample, 3)), [100, 100, 100])
})

test('makes plain nearest-centroid clusters of about even size', () => {
  for (const metric of ['cosine', 'l2'] as const) {
    const sample = makeSample(2000)
    const counts = countPlain(sample, train(sample, 8, metric), metric)
    assert.ok(counts.at(-1)! < 1.6 * 250 && counts[0]! > 0.4 * 250, `${metric}: ${counts}`)
  }
})

test('gives the same centroids for the same sample and seed, and others for another seed', () => {
  const sample = makeSample(400)
  assert.equal(train(sample, 4), train(sample, 4))
  assert.not.equal(train(sample, 4), train(sample, 4, 'cosine', 2))
})

test('leaves out rows that are not finite, and bears rows that are all the same', () => {
  const sample = makeSample(100)
  sample[3] = Number.NaN
  assert.ok(train(sample, 2).every(Number.isFinite))
  assert.ok(train(new Float32Array(50 * DIMENSIONS).fill(0.5), 3).every(Number.isFinite))
})

test.run()
