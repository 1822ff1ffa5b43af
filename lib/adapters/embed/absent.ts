import type { Model } from '../../domain/model.ts'
import type { Embedder } from '../../ports/embedder.ts'

/** Stands where a profile names a model that Longshore does not bring, and no server for it. Raises UnreachableError. */
export function createAbsentEmbedder({ name }: Pick<Model, 'name'>): Embedder {
  return {
    async embed() {
      // Inputs that bring their embeddings never ask, and the module brings a whole HTTP client.
      const { UnreachableError } = await import('../http/client.ts')
      throw new UnreachableError(
        `no server is known for the model ${name}; extraction.url in the profile names one`,
      )
    },
  }
}
