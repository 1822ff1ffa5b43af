import type { Embedder } from '../ports/embedder.ts'
import type { Input, Reject, RowBatch, SourceItem } from '../ports/input.ts'
import { listItems } from './split-items.ts'

/** Texts that are sent to the embedder at once. */
const TEXTS_AT_ONCE = 256

/** An input of texts as one with embeddings; any other input as it is. Raises what the embedder raises. */
export function embedInput(input: Input, embedder: Embedder, dimensions: number): Input {
  if (input.dimensions !== null) return input
  return {
    kind: input.kind,
    files: input.files,
    get rows() {
      return input.rows
    },
    dimensions,
    clusters: input.clusters,
    async *read(signal) {
      for await (const batch of input.read(signal)) yield await embedBatch(batch, embedder, signal)
    },
  }
}

async function embedBatch(batch: RowBatch, embedder: Embedder, signal: AbortSignal): Promise<RowBatch> {
  const all = listItems(batch.items)
  const kept = [...all.keys()].filter((index) => hasText(all[index]!))
  const items = kept.map((index) => all[index]!)
  const vectors = await embedTexts(
    items.map((item) => item.text!),
    embedder,
    signal,
  )
  const without: Reject[] = all
    .filter((item) => !hasText(item))
    .map((item) => ({ row: item.id ?? JSON.stringify(item), reason: 'has neither an embedding nor a text' }))
  return {
    items,
    vectors,
    clusters: batch.clusters && Int32Array.from(kept, (index) => batch.clusters![index]!),
    rejects: [...batch.rejects, ...without],
  }
}

/** Embeddings [texts, dimensions], asked for in portions that a server takes at once. */
export async function embedTexts(
  texts: readonly string[],
  embedder: Embedder,
  signal: AbortSignal,
): Promise<Float32Array> {
  const parts: Float32Array[] = []
  for (let first = 0; first < texts.length; first += TEXTS_AT_ONCE) {
    signal.throwIfAborted()
    parts.push(await embedder.embed(texts.slice(first, first + TEXTS_AT_ONCE), signal))
  }
  return joinFloats(parts)
}

/** Numbers one after the other. */
export function joinFloats(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

function hasText(item: SourceItem): boolean {
  return typeof item.text === 'string' && item.text !== ''
}
