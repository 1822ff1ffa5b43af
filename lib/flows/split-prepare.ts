import { HashCounter } from '../domain/hash-counter.ts'
import { hashBytes, hashText, hashTextInto, idOfHash } from '../domain/text-hash.ts'
import type { PreparedRows } from '../ports/generation-writer.ts'
import type { Reject, RowBatch, SourceItem } from '../ports/input.ts'

export type PrepareOptions = {
  readonly dimensions: number
  /** Whether items whose text and embedding an item before them has are rejected. */
  readonly merge: boolean
  /** Ids that are looked for; found ones are taken out. */
  readonly wanted: Set<string>
  /** About how many rows will come. */
  readonly expectedRows: number
}

/** Turns batches of an input into rows to write: gives ids, rejects repeated ones, renders items. */
export type Preparer = { prepare(batch: RowBatch): PreparedRows }

/** A preparer for one input from its start; it remembers ids by their 64-bit hashes. */
export function createPreparer(options: PrepareOptions): Preparer {
  const { dimensions, merge, wanted } = options
  const contents = new HashCounter()
  const nameItem = createNaming(options.expectedRows)
  let ordinal = 0

  const isMerged = (item: SourceItem, vectors: Float32Array, index: number): boolean => {
    if (!merge) return false
    const vector = vectors.subarray(index * dimensions, (index + 1) * dimensions)
    return contents.add(...hashContents(item.text ?? '', vector)) > 0
  }
  return {
    prepare({ items, vectors, clusters, rejects }) {
      const kept: number[] = []
      const lines: string[] = []
      const refused: Reject[] = []
      for (let index = 0; index < items.length; index++, ordinal++) {
        const item = items[index]!
        const isSame = isMerged(item, vectors!, index)
        const id = isSame ? null : nameItem(item, ordinal)
        if (id !== null) {
          kept.push(index)
          lines.push(renderItem(id, item))
          if (wanted.size > 0) wanted.delete(id)
        } else refused.push(tellReject(item, ordinal, isSame ? MERGED : `its id ${item.id} stands twice`))
      }
      ordinal += rejects.length
      return {
        ...renderLines(lines),
        ...selectRows(kept, { vectors: vectors!, clusters, dimensions, count: items.length }),
        rejects: [...rejects, ...refused],
      }
    },
  }
}

const MERGED = 'has the text and the embedding of an item before it'

/** A function that gives every item its id, unique among all; null for a given one that stands twice. */
function createNaming(expectedRows: number): (item: SourceItem, ordinal: number) => string | null {
  const hash = new Uint32Array(2)
  let givenIds: HashCounter | undefined
  let texts: HashCounter | undefined
  return ({ id, text }, ordinal) => {
    if (id !== undefined) {
      hashTextInto(id, hash)
      givenIds ??= new HashCounter(expectedRows)
      return givenIds.add(hash[0]!, hash[1]!) === 0 ? id : null
    }
    if (text === undefined) return `r${ordinal}`
    hashTextInto(text, hash)
    texts ??= new HashCounter(expectedRows)
    const before = texts.add(hash[0]!, hash[1]!)
    const own = idOfHash(hash[0]!, hash[1]!)
    return before === 0 ? own : `${own}-${before}`
  }
}

function tellReject({ id, text }: SourceItem, ordinal: number, reason: string): Reject {
  return { row: text ?? id ?? ordinal, reason }
}

/** One line of items.jsonl: id, then text, then what else the item carries. */
function renderItem(id: string, item: SourceItem): string {
  const { text } = item
  if (text !== undefined && !hasMore(item))
    return `{"id":${JSON.stringify(id)},"text":${JSON.stringify(text)}}\n`
  const { id: _id, text: _text, ...rest } = item
  return `${JSON.stringify({ id, text, ...rest })}\n`
}

/** Whether an item carries more than an id and a text; most carry no more. */
function hasMore(item: SourceItem): boolean {
  for (const key in item) if (key !== 'id' && key !== 'text') return true
  return false
}

function renderLines(lines: readonly string[]): Pick<PreparedRows, 'lines' | 'lineEnds'> {
  const text = lines.join('')
  const bytes = new TextEncoder().encode(text)
  const isAscii = bytes.length === text.length
  const lineEnds = new Uint32Array(lines.length)
  let end = 0
  for (const [index, line] of lines.entries()) {
    end += isAscii ? line.length : Buffer.byteLength(line)
    lineEnds[index] = end
  }
  return { lines: bytes, lineEnds }
}

type Rows = {
  readonly vectors: Float32Array
  readonly clusters: Int32Array | null
  readonly dimensions: number
  readonly count: number
}

/** The rows that are kept, without copying them where all are and the batch owns its memory. */
function selectRows(
  kept: readonly number[],
  { vectors, clusters, dimensions, count }: Rows,
): Pick<PreparedRows, 'vectors' | 'clusters'> {
  if (kept.length === count) return { vectors, clusters }
  const selected = new Float32Array(kept.length * dimensions)
  for (const [to, from] of kept.entries()) {
    selected.set(vectors.subarray(from * dimensions, (from + 1) * dimensions), to * dimensions)
  }
  return { vectors: selected, clusters: clusters && Int32Array.from(kept, (from) => clusters[from]!) }
}

/** 64 bits of a text and an embedding together. */
function hashContents(text: string, vector: Float32Array): [number, number] {
  const words = new Uint32Array(2)
  const view = new DataView(vector.buffer, vector.byteOffset, vector.byteLength)
  hashBytes(view, 0, vector.byteLength, words)
  const [high, low] = hashText(text)
  return [high ^ Math.imul(words[0]!, 0x9e3779b1), low ^ Math.imul(words[1]!, 0x85ebca6b)]
}
