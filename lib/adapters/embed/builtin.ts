import { setImmediate as nextTurn } from 'node:timers/promises'
import { embedLexical } from '../../domain/lexical.ts'
import type { Model } from '../../domain/model.ts'
import { type EmbeddingServer, EmbedError } from '../../ports/embedding-server.ts'

/** Small, for other work waits meanwhile. */
const LIMITS = { items: 64 }

/** The model that ships with Longshore, in this process: see embedLexical for what it can and cannot do. */
export function createBuiltinServer({
  dimensions,
  fingerprint,
}: Pick<Model, 'dimensions' | 'fingerprint'>): EmbeddingServer {
  return {
    findProblem: async () => undefined,
    describe: async () => ({ limits: LIMITS, inFlight: 1, fingerprint, device: 'cpu' }),
    async embed(contents, signal) {
      await nextTurn(undefined, { signal })
      const texts = contents.map((content) => {
        if (content.kind === 'text') return content.text
        throw new EmbedError('split', 'the built-in model embeds texts alone')
      })
      return { vectors: embedLexical(texts, dimensions) }
    },
    close: async () => undefined,
  }
}
