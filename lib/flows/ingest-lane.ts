import type { Entry } from '../domain/batch.ts'
import { CONTENT_HASH_BYTES } from '../domain/content.ts'
import type { Ledger } from '../ports/ledger.ts'
import type { EmbedCounts } from './embed-contents-counts.ts'
import { hashAt } from './gallery.ts'

/** What a run of embedContents is given for one model. */
export type LaneRun = {
  readonly source: AsyncIterable<Entry>
  readonly ledger: Pick<Ledger, 'find' | 'append' | 'bury'>
  readonly signal: AbortSignal
}

/** A model that items are embedded under. */
export type LaneModel = {
  readonly name: string
  readonly ledger: Ledger
  embed(run: LaneRun): Promise<EmbedCounts>
}

type Settled = (problem: string | undefined) => void

/** The contents that one model is to embed, each of them once, and who waits for each. */
export class Lane {
  readonly #model: LaneModel
  readonly #waiting = new Map<string, Settled[]>()
  #entries: Entry[] = []
  #change = Promise.withResolvers<void>()
  #isEnded = false

  constructor(model: LaneModel) {
    this.#model = model
  }

  /** Calls `settled` once the model has the content, or with the reason why it does not embed it. */
  add(entry: Entry, settled: Settled): void {
    const key = keyOf(entry.hash)
    const others = this.#waiting.get(key)
    if (this.#model.ledger.find(entry.hash) !== undefined) settled(this.#problemOf(entry.hash))
    else if (others) others.push(settled)
    else {
      this.#waiting.set(key, [settled])
      this.#entries.push(entry)
      this.#wake()
    }
  }

  /** Nothing more will be added. */
  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  /** Until everything that was added is embedded or refused. Raises what embedContents raises. */
  async run(signal: AbortSignal): Promise<EmbedCounts> {
    const { ledger } = this.#model
    return await this.#model.embed({
      source: this.#read(),
      signal,
      ledger: {
        find: (hash) => ledger.find(hash),
        append: async (hashes, vectors) => {
          await ledger.append(hashes, vectors)
          for (let index = 0; index * CONTENT_HASH_BYTES < hashes.length; index++)
            this.#settle(hashAt(hashes, index))
        },
        bury: async (hash, reason) => {
          await ledger.bury(hash, reason)
          this.#settle(hash)
        },
      },
    })
  }

  async *#read(): AsyncIterable<Entry> {
    for (;;) {
      const entries = this.#entries
      this.#entries = []
      yield* entries
      if (this.#entries.length > 0) continue
      if (this.#isEnded) return
      await this.#change.promise
    }
  }

  #settle(hash: Uint8Array): void {
    const key = keyOf(hash)
    const waiting = this.#waiting.get(key) ?? []
    this.#waiting.delete(key)
    for (const settled of waiting) settled(this.#problemOf(hash))
  }

  #problemOf(hash: Uint8Array): string | undefined {
    const reason = this.#model.ledger.reasonOf(hash)
    return reason === undefined ? undefined : `${this.#model.name} does not embed it: ${reason}`
  }

  #wake(): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers()
  }
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, CONTENT_HASH_BYTES).toString('latin1')
}
