import { LongshoreError } from '../../domain/errors.ts'
import { hashBytes } from '../../domain/text-hash.ts'
import type { GivenClusters, Input, RowBatch } from '../../ports/input.ts'
import { FileWindow } from '../files/file-window.ts'
import { JsonCursor } from '../files/json-cursor.ts'
import { readPickledMatrix } from '../files/pickle-document.ts'
import { PickledRows } from '../files/pickle-rows.ts'
import { BatchBuilder } from './batch.ts'
import type { RawFiles } from './find-raw.ts'
import { scanClusters } from './scan-clusters.ts'
import { observeFiles } from './source-files.ts'
import { type Found, LISTED_WORDS, TextTable } from './text-table.ts'

const WINDOW = 2 * 1024 * 1024
/** Bytes of a short text in a listing; only the first size of the table depends on it. */
const SHORT_TEXT = 48
/** Texts that the table takes together. */
const BLOCK_TEXTS = 64 * 1024
const SEEN = 1
const LISTED = 2
const REASONS: Record<Exclude<Found, number>, string> = {
  unknown: 'is in no cluster',
  several: 'is in more than one cluster',
  repeated: 'stands twice among the embeddings',
}

/**
 * The raw input of the reference system: a pickled dict of text -> embedding, and the texts of each cluster. The
 * listing of clusters becomes a table of hashes, then the embeddings stream by in their own order.
 */
export class RawInput implements Input {
  readonly kind = 'reference raw'
  readonly files: Input['files']
  readonly dimensions: number
  readonly clusters: GivenClusters | null
  /** The number of listed texts, where there are clusters. */
  readonly rows: number | undefined
  readonly #paths: RawFiles
  /** What was read to count the texts; the first reading of the rows takes it. */
  #listing: Listing | undefined
  /** Listed texts that were found among the embeddings. */
  #seen = 0

  constructor(paths: RawFiles) {
    this.#paths = paths
    const { embeddings, given } = paths
    this.files = observeFiles(given ? [embeddings, given.clusters, given.centres] : [embeddings])
    this.dimensions = readRowLength(embeddings)
    const centres = given ? readCentres(given.centres, this.dimensions) : null
    this.#listing = given && readListing(given.clusters, centres!.ids.length)
    this.rows = this.#listing?.table.size
    this.clusters = centres
  }

  async *read(signal: AbortSignal): AsyncIterable<RowBatch> {
    signal.throwIfAborted()
    const { given } = this.#paths
    const listing = given && (this.#listing ?? readListing(given.clusters, this.clusters!.ids.length))
    const table = listing?.table
    this.#listing = undefined
    this.#seen = 0
    // The table finds every text once.
    const builder = new BatchBuilder(this.dimensions, {
      hasClusters: given !== undefined,
      areTextsDistinct: table !== undefined,
    })
    yield* this.#readRows(table, builder, signal)
    if (given && table && this.#seen < listing.texts) {
      yield* this.#listLeftovers(given.clusters, table, builder, signal)
    }
    if (!builder.isEmpty) yield await builder.take(signal)
  }

  async *#readRows(table: TextTable | undefined, builder: BatchBuilder, signal: AbortSignal) {
    const window = new FileWindow(this.#paths.embeddings, WINDOW)
    try {
      const rows = new PickledRows(window)
      while (rows.advance()) {
        const found = table ? table.find(rows.hash, SEEN) : 0
        if (found !== 'unknown' && found !== 'repeated') this.#seen++
        if (typeof found !== 'number') builder.reject(rows.text, REASONS[found])
        else if (rows.length !== this.dimensions) builder.reject(rows.text, this.#tellLength(rows.length))
        else {
          rows.copyTo(builder.target, builder.targetAt)
          builder.addText(rows, found)
        }
        if (builder.isFull) yield await builder.take(signal)
      }
    } finally {
      window.close()
    }
  }

  /** Rejects the listed texts that have no embedding, and repeated listings of one text in one cluster. */
  async *#listLeftovers(path: string, table: TextTable, builder: BatchBuilder, signal: AbortSignal) {
    const window = new FileWindow(path)
    try {
      const cursor = new JsonCursor(window)
      const hash = new Uint32Array(2)
      for (const cluster of scanClusters(cursor, this.clusters!.ids.length)) {
        hashBytes(cursor.view, cursor.start, cursor.end, hash)
        const reason = tellLeftover(table.markOf(hash), cluster)
        table.find(hash, LISTED)
        if (reason) builder.reject(cursor.text, reason)
        if (builder.isFull) yield await builder.take(signal)
      }
    } finally {
      window.close()
    }
  }

  #tellLength(length: number | undefined): string {
    return length === undefined
      ? `is no single row of ${this.dimensions} numbers`
      : `has ${length} numbers, expected ${this.dimensions}`
  }
}

/** The cluster of every listed text, and how many texts are listed. */
type Listing = { readonly table: TextTable; readonly texts: number }

function readListing(path: string, clusters: number): Listing {
  const window = new FileWindow(path)
  try {
    const cursor = new JsonCursor(window)
    const table = new TextTable(window.size / SHORT_TEXT)
    const hash = new Uint32Array(2)
    let texts = 0
    const block = new Uint32Array(BLOCK_TEXTS * LISTED_WORDS)
    let filled = 0
    for (const cluster of scanClusters(cursor, clusters)) {
      hashBytes(cursor.view, cursor.start, cursor.end, hash)
      block[filled++] = hash[0]!
      block[filled++] = hash[1]!
      block[filled++] = cluster
      texts++
      if (filled < block.length) continue
      table.addAll(block)
      filled = 0
    }
    table.addAll(block.subarray(0, filled))
    return { table, texts }
  } finally {
    window.close()
  }
}

function tellLeftover(mark: number, cluster: number): string | undefined {
  if (mark === SEEN) return undefined
  return mark === LISTED
    ? `is listed again in cluster ${cluster}`
    : 'is listed in a cluster, but has no embedding'
}

function readRowLength(path: string): number {
  const window = new FileWindow(path)
  try {
    const rows = new PickledRows(window)
    if (!rows.advance()) window.fail(0, 'holds no embedding')
    return rows.length ?? window.fail(0, `the embedding of ${JSON.stringify(rows.text)} is no single row`)
  } finally {
    window.close()
  }
}

function readCentres(path: string, dimensions: number): GivenClusters {
  const { rows, values } = readPickledMatrix(path)
  if (values.length !== rows * dimensions) {
    throw new LongshoreError(
      'corrupt',
      `${path}: centres have ${values.length / rows} numbers, the embeddings have ${dimensions}`,
      { hint: 'take the centres that were made from these embeddings' },
    )
  }
  return { ids: Array.from({ length: rows }, (_, id) => id), centroids: values }
}
