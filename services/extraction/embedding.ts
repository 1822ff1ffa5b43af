import type { Value } from '../../lib/adapters/models/codec.ts'

/** What turns the contents of requests into embeddings. */
export type Embedding = {
  readonly takes: 'text' | 'image'
  /** Why it cannot be asked yet; undefined once it can. */
  problem(): string | undefined
  /**
   * An embedding for each value. Raises HttpError: 400 and 413 for what the model cannot take, 503 while too much waits, 500 where the model
   * fails.
   */
  embed(values: readonly Value[], mayCut: boolean): Promise<readonly Float32Array[]>
  /** Members of /v1/status. */
  status(): Readonly<Record<string, unknown>>
}
