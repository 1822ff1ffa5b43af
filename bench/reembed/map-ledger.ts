import { CONTENT_HASH_BYTES } from '../../lib/domain/content.ts'
import type { Ledger } from '../../lib/ports/ledger.ts'

type Kept = Pick<Ledger, 'find' | 'append' | 'bury'>

/** Keeps in memory what was embedded. */
export function createMapLedger(dimensions: number): Kept {
  const vectors = new Map<string, Float32Array>()
  return {
    find: (hash) => (vectors.has(nameOf(hash)) ? 'embedded' : undefined),
    async append(hashes, values) {
      for (let at = 0; at * CONTENT_HASH_BYTES < hashes.length; at++) {
        const hash = hashes.subarray(at * CONTENT_HASH_BYTES, (at + 1) * CONTENT_HASH_BYTES)
        vectors.set(nameOf(hash), values.slice(at * dimensions, (at + 1) * dimensions))
      }
    },
    bury: (_, reason) => Promise.reject(new Error(reason)),
  }
}

/** Keeps nothing: what remains in memory is the driver's own. */
export function createForgetfulLedger(): Kept {
  return {
    find: () => undefined,
    append: async () => undefined,
    bury: (_, reason) => Promise.reject(new Error(reason)),
  }
}

function nameOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, CONTENT_HASH_BYTES).toString('latin1')
}
