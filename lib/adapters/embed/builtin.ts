import { embedLexical } from '../../domain/lexical.ts'
import type { Embedder } from '../../ports/embedder.ts'

/** The model that ships with Longshore, in this process: see embedLexical for what it can and cannot do. */
export function createBuiltinEmbedder(dimensions: number): Embedder {
  return {
    async embed(texts) {
      return embedLexical(texts, dimensions)
    },
  }
}
