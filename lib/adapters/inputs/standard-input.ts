import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Input, RowBatch } from '../../ports/input.ts'
import { BatchBuilder } from './batch.ts'
import { parseItem } from './source-item.ts'

/** Lines that come slowly are passed on after so long, however few there are. */
const MOST_WAIT_MS = 200

/** One JSON object a line from a stream, which is read once. */
export class StandardInput implements Input {
  readonly kind = 'stdin'
  readonly files = []
  readonly rows = undefined
  readonly dimensions = null
  readonly clusters = null
  readonly #stream: Readable

  constructor(stream: Readable) {
    this.#stream = stream
  }

  async *read(signal: AbortSignal): AsyncIterable<RowBatch> {
    const builder = new BatchBuilder(null, { hasClusters: false })
    const lines = createInterface({ input: this.#stream, signal, crlfDelay: Number.POSITIVE_INFINITY })
    let [number, since] = [0, Date.now()]
    for await (const line of lines) {
      number++
      if (line.trim() === '') continue
      const { item, reason } = parseItem(line)
      if (item) builder.add(withoutEmbedding(item))
      else builder.reject(number - 1, `line ${number}: ${reason}`)
      if (!builder.isFull && Date.now() - since < MOST_WAIT_MS) continue
      since = Date.now()
      yield await builder.take(signal)
    }
    signal.throwIfAborted()
    if (!builder.isEmpty) yield await builder.take(signal)
  }
}

function withoutEmbedding({ embedding: _ours, ...item }: Readonly<Record<string, unknown>>) {
  return item
}
