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

/** Characters of an id that is made of a hash. */
export const ID_LENGTH = 17

/** As `idOfHash`, written in ASCII to bytes[at, at + ID_LENGTH): every item of a large input gets an id. */
export function writeIdOfHash(high: number, low: number, bytes: Uint8Array, at: number): void {
  bytes[at] = LETTER
  for (let digit = 0; digit < 8; digit++) {
    bytes[at + 1 + digit] = DIGITS[(high >>> (28 - 4 * digit)) & 15]!
    bytes[at + 9 + digit] = DIGITS[(low >>> (28 - 4 * digit)) & 15]!
  }
}

const LETTER = 't'.charCodeAt(0)
const DIGITS = encoder.encode('0123456789abcdef')

function renderWord(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}

/** Rounds after the last word, before each half of the result. */
const FINAL_ROUNDS = 3

/**
 * HalfSipHash-1-3 with 64 bits of result and a key of zeros, over bytes [start, end), written to `out` (2 words): fast
 * with 32-bit arithmetic, and without the collisions of similar texts that simpler hashes have.
 * Source: Aumasson and Bernstein, github.com/veorq/SipHash, halfsiphash.c (CC0).
 */
export function hashBytes(bytes: DataView, start: number, end: number, out: Uint32Array): void {
  const words = (end - start) >>> 2
  let v0 = 0
  let v1 = 0xee
  let v2 = 0x6c796765
  let v3 = 0x74656462
  for (let step = 0; step <= words + 2 * FINAL_ROUNDS; step++) {
    let word = 0
    if (step < words) word = bytes.getInt32(start + 4 * step, true)
    else if (step === words) word = readTail(bytes, start + 4 * words, end) | ((end - start) << 24)
    else if (step === words + 1) v2 ^= 0xee
    else if (step === words + 1 + FINAL_ROUNDS) {
      out[0] = v1 ^ v3
      v1 ^= 0xdd
    }
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = rotate(v1, 5) ^ v0
    v2 = (v2 + v3) | 0
    v3 = rotate(v3, 8) ^ v2
    v0 = (rotate(v0, 16) + v3) | 0
    v3 = rotate(v3, 7) ^ v0
    v2 = (v2 + v1) | 0
    v1 = rotate(v1, 13) ^ v2
    v2 = rotate(v2, 16)
    v0 ^= word
  }
  out[1] = v1 ^ v3
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

/** The up to three bytes that are left, lowest first. */
function readTail(bytes: DataView, at: number, end: number): number {
  let word = 0
  for (let index = end - 1; index >= at; index--) word = (word << 8) | bytes.getUint8(index)
  return word
}
