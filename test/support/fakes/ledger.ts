import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { Ledger, LedgerState } from '../../../lib/ports/ledger.ts'

const HASH_BYTES = 32

/** A ledger in memory that takes no content twice. */
export class FakeLedger implements Ledger {
  readonly vectors = new Map<string, Float32Array>()
  readonly dead = new Map<string, string>()
  private readonly dimensions: number

  constructor(dimensions: number) {
    this.dimensions = dimensions
  }

  get size(): number {
    return this.vectors.size + this.dead.size
  }

  find(hash: Uint8Array): LedgerState {
    const name = nameOf(hash)
    if (this.vectors.has(name)) return 'embedded'
    return this.dead.has(name) ? 'dead' : undefined
  }

  async append(hashes: Uint8Array, vectors: Float32Array): Promise<void> {
    const count = hashes.length / HASH_BYTES
    if (vectors.length !== count * this.dimensions) {
      throw new Error(`${vectors.length} values for ${count} contents`)
    }
    for (let at = 0; at < count; at++) {
      const hash = hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)
      if (this.find(hash)) throw new Error(`${nameOf(hash)} is added twice`)
      this.vectors.set(nameOf(hash), vectors.slice(at * this.dimensions, (at + 1) * this.dimensions))
    }
  }

  async bury(hash: Uint8Array, reason: string): Promise<void> {
    if (this.find(hash)) throw new Error(`${nameOf(hash)} is buried twice`)
    this.dead.set(nameOf(hash), reason)
  }

  reasonOf(hash: Uint8Array): string | undefined {
    return this.dead.get(nameOf(hash))
  }

  async exhume(): Promise<void> {
    this.dead.clear()
  }

  async read(hashes: Uint8Array, target: Float32Array): Promise<void> {
    for (let at = 0; at * HASH_BYTES < hashes.length; at++) {
      const name = nameOf(hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES))
      const vector = this.vectors.get(name)
      if (!vector) throw new LongshoreError('not-found', `${name} is not in the ledger`)
      target.set(vector, at * this.dimensions)
    }
  }

  async close(): Promise<void> {
    return undefined
  }
}

function nameOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex')
}
