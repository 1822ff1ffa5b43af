let halves: Float32Array | undefined

/** Element types that vectors may have, and their bytes. */
export const FLOAT_BYTES: Readonly<Record<string, number>> = { '<f2': 2, '<f4': 4, '<f8': 8 }

/** Floats as a row-major batch receives them: the same memory as numbers and as bytes. */
export type FloatTarget = { readonly floats: Float32Array; readonly bytes: Uint8Array }

export function createFloats(length: number): FloatTarget {
  const bytes = Buffer.allocUnsafeSlow(length * 4)
  return { floats: new Float32Array(bytes.buffer, 0, length), bytes }
}

/** As `createFloats`, in memory that threads can share. */
export function createSharedFloats(length: number): FloatTarget {
  const memory = new SharedArrayBuffer(length * 4)
  return { floats: new Float32Array(memory), bytes: Buffer.from(memory) }
}

/**
 * Copies `count` numbers of the type `descr` (a key of FLOAT_BYTES) from bytes[at ..] to target[targetAt ..]. float32
 * is copied bit by bit, float16 is exact, float64 is rounded to the nearest float32.
 */
export function copyFloats(
  from: { readonly bytes: Buffer; readonly at: number; readonly count: number; readonly descr: string },
  target: FloatTarget,
  targetAt: number,
): void {
  const { bytes, at, count, descr } = from
  if (descr === '<f4') {
    bytes.copy(target.bytes, targetAt * 4, at, at + count * 4)
  } else if (descr === '<f8') {
    for (let index = 0; index < count; index++) {
      target.floats[targetAt + index] = bytes.readDoubleLE(at + index * 8)
    }
  } else {
    halves ??= Float32Array.from({ length: 65_536 }, (_, half) => decodeHalf(half))
    for (let index = 0; index < count; index++) {
      target.floats[targetAt + index] = halves[bytes.readUInt16LE(at + index * 2)]!
    }
  }
}

/** The number that 16 bits of IEEE 754 binary16 stand for. */
function decodeHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * 2 ** -14 * (fraction / 1024)
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024)
}
