/**
 * Writes a fingerprint of bytes[start, end) as two uint32 to out[at] and out[at + 1]. Equal rows have equal ones; the
 * opposite is likely, but for whoever made a row on purpose: compare bytes before anything depends on it.
 * Mixing steps as of MurmurHash3 (Appleby), in two lanes.
 */
export function writeFingerprint(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint32Array,
  at: number,
): void {
  let one = end - start
  let two = ~one
  let position = start
  for (const whole = end - 3; position < whole; position += 4) {
    const word =
      bytes[position]! |
      (bytes[position + 1]! << 8) |
      (bytes[position + 2]! << 16) |
      (bytes[position + 3]! << 24)
    one = Math.imul(one ^ word, 0x9e3779b1)
    one = (one << 13) | (one >>> 19)
    two = Math.imul(two + word, 0x85ebca77)
    two = (two << 17) | (two >>> 15)
  }
  for (; position < end; position++) {
    one = Math.imul(one ^ bytes[position]!, 0x9e3779b1)
    two = Math.imul(two + bytes[position]!, 0x85ebca77)
    two = (two << 17) | (two >>> 15)
  }
  out[at] = scramble(one ^ (two >>> 16))
  out[at + 1] = scramble(two ^ (one >>> 16))
}

function scramble(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
