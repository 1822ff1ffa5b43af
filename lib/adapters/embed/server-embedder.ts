import { LongshoreError } from '../../domain/errors.ts'
import type { Embedder } from '../../ports/embedder.ts'
import { type EmbeddingServer, EmbedError } from '../../ports/embedding-server.ts'
import { UnreachableError } from '../http/unreachable.ts'
import { WrongAnswerError } from './wire.ts'

/** Texts of one request, as long as the server takes them. */
const BATCH = 256
const ATTEMPTS = 2

/**
 * An embedder of texts by a server, for those who cannot wait: a batch is tried twice. Batches are halved as soon as
 * the server refuses one. Raises UnreachableError where the server gives no embeddings, `remote` where it gives wrong ones.
 */
export function createServerEmbedder(server: EmbeddingServer, dimensions: number): Embedder {
  let most = BATCH
  const embedBatch = async (texts: readonly string[], signal: AbortSignal): Promise<Float32Array> => {
    const contents = texts.map((text) => ({ kind: 'text', text }) as const)
    for (let attempt = 1; ; attempt++) {
      try {
        return (await server.embed(contents, signal)).vectors
      } catch (error) {
        if (!(error instanceof EmbedError)) throw error
        if (signal.aborted || attempt === ATTEMPTS || !isWorthAnother(error)) throw explain(error)
      }
    }
  }
  const embedHalves = async (texts: readonly string[], signal: AbortSignal): Promise<Float32Array> => {
    try {
      return await embedBatch(texts, signal)
    } catch (error) {
      if (texts.length === 1 || !isRefusedBatch(error)) throw error
      most = Math.ceil(texts.length / 2)
      return embedAll(texts, signal)
    }
  }
  const embedAll = async (texts: readonly string[], signal: AbortSignal): Promise<Float32Array> => {
    const rows = new Float32Array(texts.length * dimensions)
    for (let first = 0; first < texts.length; ) {
      const batch = texts.slice(first, first + most)
      rows.set(await embedHalves(batch, signal), first * dimensions)
      first += batch.length
    }
    return rows
  }
  return { embed: embedAll }
}

function isWorthAnother(error: EmbedError): boolean {
  return !(error instanceof WrongAnswerError) && error.fault !== 'split' && error.fault !== 'stop'
}

function isRefusedBatch(error: unknown): boolean {
  return (
    error instanceof UnreachableError && error.cause instanceof EmbedError && error.cause.fault === 'split'
  )
}

function explain(error: EmbedError): LongshoreError {
  if (!(error instanceof WrongAnswerError)) return new UnreachableError(error.message, error)
  return new LongshoreError('remote', error.message, {
    hint: 'compare the model section of the profile with the server',
    cause: error,
  })
}
