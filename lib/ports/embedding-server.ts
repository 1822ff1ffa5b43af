import type { Content } from '../domain/content.ts'

/**
 * Why a batch has no embeddings, and so what to do about it: `split` it, for the server takes no batch like this or one of
 * its items is wrong; `overloaded`, send less and later; `transient`, try again; `stop`, nothing else will succeed either
 * (no such model, no permission, no quota). A batch of one item that is `split` is a poison item.
 */
export type EmbedFault = 'split' | 'overloaded' | 'transient' | 'stop'

/** A batch that a server did not embed. */
export class EmbedError extends Error {
  override readonly name = 'EmbedError'
  readonly fault: EmbedFault
  /** When the server asked to be asked again, in milliseconds from now. */
  readonly retryAfterMs: number | undefined

  constructor(
    fault: EmbedFault,
    message: string,
    options: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.fault = fault
    this.retryAfterMs = options.retryAfterMs
  }
}

/** The most that one request may hold; left out where there is no limit. */
export type BatchLimits = { readonly items?: number; readonly bytes?: number; readonly tokens?: number }

/** What a server says of itself. */
export type ServerDescription = {
  readonly limits: BatchLimits
  /** Requests that it takes at a time; left out where it does not say. */
  readonly inFlight?: number
  /** The identity of its model, where it tells one. */
  readonly fingerprint?: string
  /** Where it computes, where it says. */
  readonly device?: string
}

/** What a server made of a batch. */
export type Embedded = {
  /** Row-major [contents, dimensions]; finite. */
  readonly vectors: Float32Array
  /** Tokens that the server counted, where it says. */
  readonly tokens?: number
}

/** A server, or a group of equal ones, that turns contents into embeddings of one model; one request for each call. */
export interface EmbeddingServer {
  /** Whether the model can be asked now; the reason where it cannot. */
  findProblem(signal: AbortSignal): Promise<string | undefined>
  /** What it tells of its limits and its model. Raises EmbedError. */
  describe(signal: AbortSignal): Promise<ServerDescription>
  /**
   * Raises EmbedError, also for an answer with another count, other dimensions or values that are not finite (`split`),
   * or one that is no answer of its protocol (`transient`).
   */
  embed(contents: readonly Content[], signal: AbortSignal): Promise<Embedded>
  close(): Promise<void>
}
