import { createHash } from 'node:crypto'
import { LongshoreError } from '../../domain/errors.ts'
import { hashLine, type Line } from './item-line.ts'
import { readBlocks } from './read-blocks.ts'

const LINE_FEED = 0x0a
const BLOCK_BYTES = 1 << 20
const OFFSET_BYTES = 8

export type ItemsJob = { readonly items: string; readonly offsets: string }

export type FileFacts = { readonly bytes: number; readonly sha256: string }

export type ItemsFacts = {
  readonly count: number
  readonly items: FileFacts
  readonly offsets: FileFacts
  /** 64-bit hashes of all ids, and of the texts of those that have one, two words each. */
  readonly ids: Uint32Array
  readonly texts: Uint32Array
}

/**
 * Everything that gates want to know of items.jsonl and items.idx, in one pass over each. Raises `corrupt` where a line
 * is no item or does not start where its offset says.
 */
export function scanItems(job: ItemsJob): ItemsFacts {
  const { offsets, ...offsetFacts } = readOffsets(job.offsets)
  const count = offsets.length / 2 - 1
  if (count < 0) throw new LongshoreError('corrupt', `${job.offsets}: is empty`)
  const hashes = { ids: new Uint32Array(count * 2), texts: new Uint32Array(count * 2), textCount: 0 }
  const hash = createHash('sha256')
  const fail = (line: number, what: string): never => {
    throw new LongshoreError('corrupt', `${job.items}:${line + 1}: ${what}`)
  }
  let row = 0
  const bytes = forEachLine(job.items, hash, (line, start) => {
    if (row >= count) fail(row, `is not in ${job.offsets}, which knows ${count} items`)
    if (start !== offsetAt(offsets, row)) {
      fail(row, `starts at byte ${start}, but ${job.offsets} says ${offsetAt(offsets, row)}`)
    }
    if (!hashLine(line, row, hashes)) fail(row, 'is no JSON object with an id')
    row++
  })
  if (row !== count) fail(row, `is missing: ${job.offsets} knows ${count} items`)
  if (bytes !== offsetAt(offsets, count))
    fail(row, `ends at byte ${bytes}, not at ${offsetAt(offsets, count)}`)
  return {
    count,
    items: { bytes, sha256: hash.digest('hex') },
    offsets: offsetFacts,
    ids: hashes.ids,
    texts: hashes.texts.subarray(0, hashes.textCount * 2),
  }
}

function readOffsets(path: string): FileFacts & { offsets: Uint32Array } {
  const file = readBlocks(path)
  try {
    if (file.size % OFFSET_BYTES !== 0) {
      throw new LongshoreError('corrupt', `${path}: has ${file.size} bytes, expected 8 for each offset`)
    }
    const bytes = file.next(file.size)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { offsets: new Uint32Array(bytes.buffer, 0, bytes.length / 4), bytes: file.size, sha256 }
  } finally {
    file.close()
  }
}

function offsetAt(offsets: Uint32Array, row: number): number {
  return offsets[row * 2]! + offsets[row * 2 + 1]! * 2 ** 32
}

/** Visits every line, without its line feed, with the byte that it starts at; returns the length of the file. */
function forEachLine(
  path: string,
  hash: ReturnType<typeof createHash>,
  visit: (line: Line, start: number) => void,
): number {
  const file = readBlocks(path)
  try {
    let rest = Buffer.alloc(0)
    let start = 0
    for (let block = file.next(BLOCK_BYTES); block.length > 0; block = file.next(BLOCK_BYTES)) {
      hash.update(block)
      const bytes = rest.length === 0 ? bufferOf(block) : Buffer.concat([rest, block])
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      let from = 0
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
        visit({ bytes, view, start: from, end }, start + from)
        from = end + 1
      }
      rest = Buffer.from(bytes.subarray(from))
      start += from
    }
    if (rest.length > 0) throw new LongshoreError('corrupt', `${path}: ends inside a line`)
    return file.size
  } finally {
    file.close()
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
