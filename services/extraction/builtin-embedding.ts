import { setImmediate as nextTurn } from 'node:timers/promises'
import { embedLexical } from '../../lib/domain/lexical.ts'
import { badRequest } from '../http/http-error.ts'
import type { Embedding } from './embedding.ts'

/** Texts embedded before other requests get their turn. */
const TURN = 64

/** The model that ships with Longshore: it takes texts of any length. */
export function createBuiltinEmbedding(dimensions: number): Embedding {
  return {
    takes: 'text',
    problem: () => undefined,
    status: () => ({}),
    async embed(values) {
      const rows: Float32Array[] = []
      for (const [index, value] of values.entries()) {
        if (index > 0 && index % TURN === 0) await nextTurn()
        if (typeof value !== 'string') throw badRequest('the built-in model embeds texts alone')
        rows.push(embedLexical([value], dimensions))
      }
      return rows
    },
  }
}
