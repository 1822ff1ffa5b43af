/** Turns texts into embeddings of one model. */
export interface Embedder {
  /**
   * Embeddings of `texts`, row-major [texts, dimensions]. Raises `remote` when the server fails or answers with a
   * wrong count, wrong dimensions or values that are not finite.
   */
  embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array>
}
