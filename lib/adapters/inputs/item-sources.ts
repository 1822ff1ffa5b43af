import type { Input, RowBatch } from '../../ports/input.ts'
import type { ItemSources } from '../../ports/item-sources.ts'
import { BatchBuilder } from './batch.ts'
import { openInput } from './open-input.ts'
import { StandardInput } from './standard-input.ts'

/** Everything that items may come from. */
export function createItemSources(): ItemSources {
  return {
    async open(source) {
      if (source === '-') return new StandardInput(process.stdin)
      return /^https?:\/\//i.test(source) ? new AddressInput(source) : await openInput(source)
    },
  }
}

/** One item: what is at an address, known by it. */
class AddressInput implements Input {
  readonly kind = 'address'
  readonly files = []
  readonly rows = 1
  readonly dimensions = null
  readonly clusters = null
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async *read(signal: AbortSignal): AsyncIterable<RowBatch> {
    const builder = new BatchBuilder(null, { hasClusters: false })
    builder.add({ id: this.#url, url: this.#url })
    yield await builder.take(signal)
  }
}
