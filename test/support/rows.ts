import { createRandom } from '../../lib/domain/random.ts'

/** Vectors [rows, dimensions] around as many topics, the same for the same seed. */
export function clusteredRows(
  rows: number,
  { dimensions, topics = 8, seed = 1 }: { dimensions: number; topics?: number; seed?: number },
): Float32Array {
  const random = createRandom(seed)
  const centres = Float32Array.from({ length: topics * dimensions }, () => random() - 0.5)
  const vectors = new Float32Array(rows * dimensions)
  for (let row = 0; row < rows; row++) {
    const topic = Math.floor(random() * topics) * dimensions
    for (let column = 0; column < dimensions; column++) {
      vectors[row * dimensions + column] = centres[topic + column]! + 0.7 * (random() - 0.5)
    }
  }
  return vectors
}
