/** Byte positions as items.idx has them: unsigned 64-bit, little-endian. */
export function renderOffsets(count: number, positionOf: (index: number) => number): Uint8Array {
  const words = new Uint32Array(count * 2)
  for (let index = 0; index < count; index++) {
    const position = positionOf(index)
    words[index * 2] = position % 2 ** 32
    words[index * 2 + 1] = Math.floor(position / 2 ** 32)
  }
  return new Uint8Array(words.buffer)
}
