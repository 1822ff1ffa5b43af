import type { Model } from '../../domain/model.ts'
import type { Embedder } from '../../ports/embedder.ts'
import { UnreachableError } from '../http/unreachable.ts'

/** Stands where a profile names a model that Longshore does not bring, and no server for it. Raises UnreachableError. */
export function createAbsentEmbedder({ name }: Pick<Model, 'name'>): Embedder {
  return {
    async embed() {
      throw new UnreachableError(
        `no server is known for the model ${name}; extraction.url in the profile names one`,
      )
    },
  }
}
