const encoder = new TextEncoder()
let scratch = new Uint8Array(4096)
let scratchView = new DataView(scratch.buffer)

/** The 64-bit hash of a text's UTF-8 bytes, as its upper and lower 32 bits, unsigned. */
export function hashText(text: string): [number, number] {
  const out = new Uint32Array(2)
  hashTextInto(text, out)
  return [out[0]!, out[1]!]
}

/** As `hashText`, written to `out` without an allocation. */
export function hashTextInto(text: string, out: Uint32Array): void {
  if (scratch.length < text.length * 3) {
    scratch = new Uint8Array(text.length * 3)
    scratchView = new DataView(scratch.buffer)
  }
  hashBytes(scratchView, 0, encoder.encodeInto(text, scratch).written, out)
}

/** The id of an item that comes without one: `t` and the 16 hexadecimal digits of the hash of its text. */
export function idOf(text: string): string {
  const [high, low] = hashText(text)
  return idOfHash(high, low)
}

/** As `idOf`, of a hash that is known already. */
export function idOfHash(high: number, low: number): string {
  return `t${renderWord(high)}${renderWord(low)}`
}

// Every item of an input gets an id: four look-ups are four times as fast as toString and padStart.
const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function renderWord(word: number): string {
  return `${BYTES[word >>> 24]}${BYTES[(word >>> 16) & 255]}${BYTES[(word >>> 8) & 255]}${BYTES[word & 255]}`
}

/**
 * The first 64 bits of MurmurHash3_x86_128 with seed 0 over bytes [start, end), written to `out` (2 words).
 * Source: Austin Appleby, MurmurHash3.cpp (SMHasher, public domain).
 */
export function hashBytes(bytes: DataView, start: number, end: number, out: Uint32Array): void {
  let h1 = 0
  let h2 = 0
  let h3 = 0
  let h4 = 0
  let at = start
  for (; at + 16 <= end; at += 16) {
    h1 ^= scramble(bytes.getInt32(at, true), C1, 15, C2)
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0
    h2 ^= scramble(bytes.getInt32(at + 4, true), C2, 16, C3)
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0
    h3 ^= scramble(bytes.getInt32(at + 8, true), C3, 17, C4)
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0
    h4 ^= scramble(bytes.getInt32(at + 12, true), C4, 18, C1)
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0
  }
  if (at < end) {
    h1 ^= scramble(readTail(bytes, at, end), C1, 15, C2)
    h2 ^= scramble(readTail(bytes, at + 4, end), C2, 16, C3)
    h3 ^= scramble(readTail(bytes, at + 8, end), C3, 17, C4)
    h4 ^= scramble(readTail(bytes, at + 12, end), C4, 18, C1)
  }
  const length = end - start
  h1 ^= length
  h2 ^= length
  const sum = (h1 + h2 + (h3 ^ length) + (h4 ^ length)) | 0
  const mixed1 = finish(sum)
  const mixed2 = finish((h2 + sum) | 0)
  const mixed3 = finish(((h3 ^ length) + sum) | 0)
  const mixed4 = finish(((h4 ^ length) + sum) | 0)
  const total = (mixed1 + mixed2 + mixed3 + mixed4) | 0
  out[0] = total
  out[1] = mixed2 + total
}

const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

function scramble(word: number, first: number, bits: number, second: number): number {
  return Math.imul(rotate(Math.imul(word, first), bits), second)
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

function finish(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

function readTail(bytes: DataView, at: number, end: number): number {
  let word = 0
  for (let index = Math.min(end, at + 4) - 1; index >= at; index--) word = (word << 8) | bytes.getUint8(index)
  return word
}
