import type { GoldenQuery } from '../../domain/golden.ts'
import type { ModelCheck } from '../../domain/judge.ts'
import { findModelDifference, type Model } from '../../domain/model.ts'
import { innerProduct, scoreOf } from '../../domain/similarity.ts'
import type { GateContext } from '../../ports/generation-store.ts'
import { UnreachableError } from '../http/unreachable.ts'

const MOST_TEXTS = 32

type Sample = Pick<GoldenQuery, 'vector' | 'text'>

/**
 * Whether stored embeddings are of the model that queries will be embedded with: the same identity, and the same
 * vectors for up to 32 sampled texts where an embedder can be reached.
 */
export async function checkModel(
  model: Model,
  queries: readonly Sample[],
  context: GateContext,
): Promise<ModelCheck> {
  const difference = findModelDifference(model, context.model)
  if (difference) {
    const [stored, asked] = [model[difference], context.model[difference]]
    return { cosine: 0, detail: `its ${difference} is ${stored}, that of the profile's model ${asked}` }
  }
  const sample = queries.filter((query) => query.text !== undefined).slice(0, MOST_TEXTS)
  if (sample.length === 0) return passOnIdentity('the items have no texts')
  if (!context.embedder) return passOnIdentity('no embedder can be reached')
  try {
    const texts = sample.map(({ text }) => text!)
    const fresh = await context.embedder.embed(texts, context.signal)
    return compare(sample, fresh, model.dimensions)
  } catch (error) {
    if (error instanceof UnreachableError) return passOnIdentity(error.message)
    throw error
  }
}

function passOnIdentity(reason: string): ModelCheck {
  return { cosine: 1, detail: `the same identity; nothing was re-embedded: ${reason}` }
}

function compare(sample: readonly Sample[], fresh: Float32Array, dimensions: number): ModelCheck {
  const cosines = sample.map(({ vector }, index) => {
    const other = fresh.subarray(index * dimensions, (index + 1) * dimensions)
    const products = {
      product: innerProduct(vector, other),
      squaredA: innerProduct(vector, vector),
      squaredB: innerProduct(other, other),
    }
    return scoreOf('cosine', products)
  })
  const cosine = Math.max(0, cosines.reduce((sum, value) => sum + value, 0) / cosines.length)
  return { cosine, detail: `mean cosine of ${cosines.length} texts that were embedded again` }
}
