/** Byte positions as items.idx has them: unsigned 64-bit, little-endian. */
export function renderOffsets(positions: readonly number[]): Uint8Array {
  const words = new Uint32Array(positions.length * 2)
  for (const [index, position] of positions.entries()) {
    words[index * 2] = position % 2 ** 32
    words[index * 2 + 1] = Math.floor(position / 2 ** 32)
  }
  return new Uint8Array(words.buffer)
}
