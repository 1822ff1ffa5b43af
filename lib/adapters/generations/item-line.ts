import { hashBytes } from '../../domain/text-hash.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const CLOSING_BRACE = 0x7d
const ID = Buffer.from('{"id":"')
const TEXT = Buffer.from(',"text":"')

/** A line of items.jsonl among others: `bytes` [start, end), without its line feed; `view` is of the same bytes. */
export type Line = {
  readonly bytes: Buffer
  readonly view: DataView
  readonly start: number
  readonly end: number
}

/** Where the hashes of a shard's ids and texts go, two words each. */
export type ItemHashes = { readonly ids: Uint32Array; readonly texts: Uint32Array; textCount: number }

const words = new Uint32Array(2)

/**
 * Adds the hashes of an item's id and text; false when the line is no item. Lines as Longshore writes them, which begin
 * with id and text, are read without parsing them: this is done for every item of a generation.
 */
export function hashLine(line: Line, row: number, hashes: ItemHashes): boolean {
  const { bytes, view, start, end } = line
  const idStart = start + ID.length
  const idEnd = startsWith(bytes, ID, start) ? findQuote(bytes, idStart, end) : -1
  if (idEnd < 0) return hashParsed(line, row, hashes)
  const textStart = idEnd + 1 + TEXT.length
  if (startsWith(bytes, TEXT, idEnd + 1)) {
    const textEnd = findQuote(bytes, textStart, end)
    if (textEnd < 0) return false
    addText(view, textStart, textEnd, hashes)
  } else if (bytes[idEnd + 1] !== CLOSING_BRACE) return hashParsed(line, row, hashes)
  addId(view, idStart, idEnd, row, hashes)
  return bytes[end - 1] === CLOSING_BRACE
}

function hashParsed({ bytes, start, end }: Line, row: number, hashes: ItemHashes): boolean {
  const item = parseObject(bytes.toString('utf8', start, end))
  if (typeof item?.id !== 'string') return false
  const id = encodeInside(item.id)
  addId(id, 0, id.byteLength, row, hashes)
  if (typeof item.text === 'string') {
    const text = encodeInside(item.text)
    addText(text, 0, text.byteLength, hashes)
  }
  return true
}

/** A text as its JSON stands between the quotes. */
function encodeInside(text: string): DataView {
  const json = new TextEncoder().encode(JSON.stringify(text))
  return new DataView(json.buffer, json.byteOffset + 1, json.byteLength - 2)
}

function parseObject(text: string): { id?: unknown; text?: unknown } | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? value : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function addId(view: DataView, start: number, end: number, row: number, { ids }: ItemHashes): void {
  hashBytes(view, start, end, words)
  ids.set(words, row * 2)
}

function addText(view: DataView, start: number, end: number, hashes: ItemHashes): void {
  hashBytes(view, start, end, words)
  hashes.texts.set(words, hashes.textCount++ * 2)
}

function startsWith(bytes: Buffer, prefix: Buffer, at: number): boolean {
  for (let index = 0; index < prefix.length; index++) if (bytes[at + index] !== prefix[index]) return false
  return true
}

/** Position of the quote that ends the JSON text starting at `start`, -1 when there is none. */
function findQuote(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (bytes[at] === QUOTE) return at
    if (bytes[at] === BACKSLASH) at++
  }
  return -1
}
