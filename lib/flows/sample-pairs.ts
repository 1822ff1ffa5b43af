import { createRandom, sampleNumbers } from '../domain/random.ts'
import type { Input, RowBatch, SourceItem } from '../ports/input.ts'
import type { Ledger } from '../ports/ledger.ts'
import { type Gallery, hashAt, hashBatches, nameItem } from './gallery.ts'
import { joinFloats } from './split-embedding.ts'
import { listItems } from './split-items.ts'

/** Items of a generation drawn at random, with their embeddings under its model and under another one. */
export type PairedSample = {
  /** What people know items by: how their texts begin, or their ids where they have none. */
  readonly names: readonly string[]
  /** Row-major [items, dimensions of the former model] */
  readonly before: Float32Array
  /** Row-major [items, dimensions of the other model] */
  readonly after: Float32Array
}

/** So many items have 80,000 pairs. */
const SAMPLED = 400
const MOST_CHARACTERS = 80

export type Row = {
  readonly item: SourceItem
  readonly vector: Float32Array
  /** Its place among the clusters of the input, where it has any. */
  readonly cluster?: number
}

/** An input that remembers some of its rows as it is read, so that nobody reads it again for them. */
export type DrawnInput = {
  readonly input: Input
  /** Those of the last reading. */
  listRows(): readonly Row[]
}

/** Draws rows of an input that has embeddings and knows how many: always the same ones of the same input. */
export function drawRows(input: Input, count = SAMPLED): DrawnInput {
  const places = sampleNumbers(input.rows ?? 0, count, createRandom(count))
  let rows: Row[] = []
  async function* read(signal: AbortSignal): AsyncIterable<RowBatch> {
    rows = []
    let passed = 0
    for await (const batch of input.read(signal)) {
      const end = passed + batch.items.length
      while (rows.length < places.length && places[rows.length]! < end) {
        rows.push(copyRow(batch, places[rows.length]! - passed))
      }
      passed = end
      yield batch
    }
  }
  const { kind, files, dimensions, clusters, root } = input
  return {
    input: { kind, files, rows: input.rows, dimensions, clusters, read, ...(root !== undefined && { root }) },
    listRows: () => rows,
  }
}

/** Joins drawn rows with what a ledger holds of them; those that the other model does not embed are left out. */
export async function joinSample(
  drawn: Drawn,
  ledger: Pick<Ledger, 'find' | 'read'>,
  { dimensions, signal }: { readonly dimensions: number; readonly signal: AbortSignal },
): Promise<PairedSample> {
  const kept = await listKnown(drawn, ledger, signal)
  const after = new Float32Array(kept.length * dimensions)
  await ledger.read(Buffer.concat(kept.map(({ hash }) => hash)), after)
  return {
    names: kept.map(({ name }) => name),
    before: joinFloats(kept.map(({ vector }) => vector)),
    after,
  }
}

export type Drawn = { readonly rows: readonly Row[]; readonly gallery: Gallery }

/** A drawn row, what people know it by, and the hash of what it has to embed. */
export type KnownRow = Row & { readonly name: string; readonly hash: Uint8Array }

/** The drawn rows of which a ledger holds an embedding. */
export async function listKnown(
  { rows, gallery }: Drawn,
  ledger: Pick<Ledger, 'find'>,
  signal: AbortSignal,
): Promise<KnownRow[]> {
  const kept: KnownRow[] = []
  for await (const { batch, hashes, problems } of hashBatches(galleryOf({ rows, gallery }), signal)) {
    for (const [index, row] of rows.entries()) {
      const hash = hashAt(hashes, index)
      if (problems.has(index) || ledger.find(hash) !== 'embedded') continue
      kept.push({ ...row, name: beginText(row.item.text) ?? nameItem(batch.items, index), hash })
    }
  }
  return kept
}

/** Drawn rows as a gallery. */
export function galleryOf({ rows, gallery }: Drawn): Gallery {
  return { ...gallery, input: listAgain(rows) }
}

function beginText(text: string | undefined): string | undefined {
  if (!text || text.length <= MOST_CHARACTERS) return text || undefined
  return `${text.slice(0, MOST_CHARACTERS).toWellFormed()}…`
}

/** Drawn rows as an input of one batch. */
function listAgain(rows: readonly Row[]): Input {
  return {
    ...{ kind: 'sample', files: [], rows: rows.length, dimensions: null, clusters: null },
    async *read() {
      yield { items: rows.map(({ item }) => item), vectors: null, clusters: null, rejects: [] }
    },
  }
}

function copyRow({ items, vectors, clusters }: RowBatch, row: number): Row {
  const dimensions = vectors!.length / items.length
  return {
    item: listItems(items)[row]!,
    vector: vectors!.slice(row * dimensions, (row + 1) * dimensions),
    ...(clusters && { cluster: clusters[row]! }),
  }
}
