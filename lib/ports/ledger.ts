import type { Model } from '../domain/model.ts'

/** What the ledger knows of a content. */
export type LedgerState = 'embedded' | 'dead' | undefined

/** Contents of one model by their hashes: its embeddings, and those that it cannot embed. Only ever grows. */
export interface Ledger {
  /** Contents that are known, dead ones included. */
  readonly size: number
  /** `hash` [32] */
  find(hash: Uint8Array): LedgerState
  /** Adds embeddings: `hashes` [n * 32], `vectors` row-major [n, dimensions]. On disk when it resolves. Raises `remote` when the disk is full. */
  append(hashes: Uint8Array, vectors: Float32Array): Promise<void>
  /** Remembers that the model cannot embed a content, and why. On disk when it resolves. */
  bury(hash: Uint8Array, reason: string): Promise<void>
  /** Why a content is dead; undefined where it is not. */
  reasonOf(hash: Uint8Array): string | undefined
  /** Forgets which contents are dead, so that they are tried again. */
  exhume(): Promise<void>
  /**
   * The embeddings of `hashes` [n * 32] into `target` [n, dimensions]. Raises `corrupt` naming segment and record where
   * bytes are not those that were added, `not-found` for a hash that is not embedded.
   */
  read(hashes: Uint8Array, target: Float32Array): Promise<void>
  close(): Promise<void>
}

/** Keeps what was ever embedded, on the operator's machine. */
export interface LedgerStore {
  /** The ledger of a model, known by its fingerprint and dimensions alone. Raises `locked` while another command writes to it, `corrupt`. */
  open(model: Pick<Model, 'fingerprint' | 'dimensions'>): Promise<Ledger>
}
