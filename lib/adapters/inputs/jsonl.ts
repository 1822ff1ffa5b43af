import type { Input, RowBatch } from '../../ports/input.ts'
import type { FloatTarget } from '../files/floats.ts'
import { LineReader } from '../files/line-reader.ts'
import { BatchBuilder } from './batch.ts'
import { observeFiles } from './source-files.ts'
import { parseObject, toItem } from './source-item.ts'

/** One JSON object a line: `id`, `text`, `embedding` (a list of numbers), and metadata. Without embeddings: texts only. */
export class JsonlInput implements Input {
  readonly kind = 'JSONL'
  readonly files: Input['files']
  /** Told by the first row that can be read. */
  readonly dimensions: number | null
  readonly clusters = null
  rows: number | undefined
  readonly #path: string

  constructor(path: string) {
    this.#path = path
    this.files = observeFiles([path])
    this.dimensions = readDimensions(path)
  }

  async *read(signal: AbortSignal): AsyncIterable<RowBatch> {
    const lines = new LineReader(this.#path)
    const builder = new BatchBuilder(this.dimensions, { hasClusters: false })
    try {
      let rows = 0
      for (let line = lines.next(); line !== undefined; line = lines.next()) {
        const reason = this.#addRow(line, builder)
        if (reason) builder.reject(rows, `line ${lines.number}: ${reason}`)
        rows++
        if (builder.isFull) yield await builder.take(signal)
      }
      this.rows = rows
      if (!builder.isEmpty) yield await builder.take(signal)
    } finally {
      lines.close()
    }
  }

  /** Adds the row in a line; a reason where it is none. */
  #addRow(line: string, builder: BatchBuilder): string | undefined {
    const members = parseObject(line)
    if (typeof members === 'string') return members
    const { embedding, ...others } = members
    const { item, reason } = toItem(others)
    if (!item) return reason
    const problem = this.#takeEmbedding(embedding, builder)
    if (problem) return problem
    builder.add(item)
    return undefined
  }

  #takeEmbedding(embedding: unknown, builder: BatchBuilder): string | undefined {
    if (this.dimensions !== null) {
      return copyNumbers(embedding, this.dimensions, builder.target, builder.targetAt)
    }
    return embedding === undefined || embedding === null
      ? undefined
      : 'has an embedding, but the first row has none'
  }
}

/** Copies `count` numbers to target[targetAt ..]; a reason where the value does not hold exactly those. */
export function copyNumbers(
  value: unknown,
  count: number,
  target: FloatTarget,
  targetAt: number,
): string | undefined {
  if (value === undefined || value === null) return 'has no embedding'
  if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return 'embedding is no list of numbers'
  const numbers = value as ArrayLike<unknown>
  if (numbers.length !== count) return `embedding has ${numbers.length} numbers, expected ${count}`
  for (let index = 0; index < count; index++) {
    const number = numbers[index]
    if (typeof number !== 'number') return `embedding[${index}] is not a number`
    const rounded = Math.fround(number)
    if (!Number.isFinite(rounded)) return `embedding[${index}] is not finite`
    target.floats[targetAt + index] = rounded
  }
  return undefined
}

function readDimensions(path: string): number | null {
  const lines = new LineReader(path)
  try {
    for (let line = lines.next(); line !== undefined; line = lines.next()) {
      const members = parseObject(line)
      if (typeof members === 'string') continue
      const { embedding } = members
      if (embedding === undefined || embedding === null) return null
      if (Array.isArray(embedding) && embedding.length > 0) return embedding.length
    }
    return null
  } finally {
    lines.close()
  }
}
