import { createHash } from 'node:crypto'
import { LongshoreError } from '../../domain/errors.ts'
import { BlockFile } from './block-file.ts'
import { hashLine } from './item-line.ts'
import { LineReader } from './line-reader.ts'

const OFFSET_BYTES = 8

export type ItemsJob = {
  readonly items: string
  readonly offsets: string
  /** Items that are no copies; they come first. */
  readonly own: number
}

export type FileFacts = { readonly bytes: number; readonly sha256: string }

export type ItemsFacts = {
  readonly count: number
  readonly items: FileFacts
  readonly offsets: FileFacts
  /** 64-bit hashes of all ids, and of the texts of those that have one, two words each; those of copies left out. */
  readonly ids: Uint32Array
  /** As `ids`, of the copies. */
  readonly copiedIds: Uint32Array
  readonly texts: Uint32Array
}

/**
 * Everything that gates want to know of items.jsonl and items.idx, in one pass over each. Raises `corrupt` where a line
 * is no item or does not start where its offset says.
 */
export function scanItems(job: ItemsJob): ItemsFacts {
  const { offsets, ...offsetFacts } = readOffsets(job.offsets)
  let ownTexts = 0
  const count = offsets.length / 2 - 1
  if (count < 0) throw new LongshoreError('corrupt', `${job.offsets}: is empty`)
  const hashes = { ids: new Uint32Array(count * 2), texts: new Uint32Array(count * 2), textCount: 0 }
  const hash = createHash('sha256')
  const fail = (line: number, what: string): never => {
    throw new LongshoreError('corrupt', `${job.items}:${line + 1}: ${what}`)
  }
  const lines = new LineReader(job.items, hash)
  try {
    for (let row = 0; row <= count; row++) {
      const isThere = lines.next()
      const expected = offsetAt(offsets, row)
      if (isThere !== row < count) fail(row, `${job.offsets} knows ${count} items`)
      if (lines.position !== expected) {
        fail(row, `starts at byte ${lines.position}, but ${job.offsets} says ${expected}`)
      }
      if (row <= job.own) ownTexts = hashes.textCount
      if (isThere && !hashLine(lines, row, hashes)) fail(row, 'is no JSON object with an id')
    }
  } finally {
    lines.close()
  }
  return {
    count,
    items: { bytes: lines.position, sha256: hash.digest('hex') },
    offsets: offsetFacts,
    ids: hashes.ids.subarray(0, job.own * 2),
    copiedIds: hashes.ids.subarray(job.own * 2),
    texts: hashes.texts.subarray(0, ownTexts * 2),
  }
}

function readOffsets(path: string): FileFacts & { offsets: Uint32Array } {
  const file = new BlockFile(path)
  try {
    if (file.size % OFFSET_BYTES !== 0) {
      throw new LongshoreError('corrupt', `${path}: has ${file.size} bytes, expected 8 for each offset`)
    }
    const bytes = new Uint8Array(file.size)
    file.read(bytes)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { offsets: new Uint32Array(bytes.buffer), bytes: file.size, sha256 }
  } finally {
    file.close()
  }
}

function offsetAt(offsets: Uint32Array, row: number): number {
  return offsets[row * 2]! + offsets[row * 2 + 1]! * 2 ** 32
}
