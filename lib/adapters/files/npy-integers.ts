import { FileWindow } from './file-window.ts'
import { parseNpyHeader } from './npy.ts'

/** A .npy file of whole numbers [n]. */
export type IntegerFile = { readonly length: number; read(index: number): number; close(): void }

/** Opens a one-dimensional .npy file of integers. Raises `corrupt` for any other form, `not-found`. */
export function openNpyIntegers(path: string): IntegerFile {
  const window = new FileWindow(path)
  try {
    const head = Math.min(window.size, 64 * 1024)
    window.locate(0, head)
    const { descr, shape, dataOffset } = parseNpyHeader(window.bytes.subarray(0, head), path)
    const width = /^[<|][iu]([1248])$/.exec(descr)?.[1]
    if (!width || shape.length !== 1) {
      return window.fail(
        0,
        `holds ${descr} of shape (${shape.join(', ')}), expected integers of shape (rows,)`,
      )
    }
    const bytes = Number(width)
    const isSigned = descr[1] === 'i'
    const length = shape[0]!
    if (window.size < dataOffset + length * bytes)
      window.fail(window.size, `ends too early for ${length} numbers`)
    return {
      length,
      read: (index) => {
        const at = window.locate(dataOffset + index * bytes, bytes)
        if (bytes === 8) return Number(window.bytes.readBigInt64LE(at))
        return isSigned ? window.bytes.readIntLE(at, bytes) : window.bytes.readUIntLE(at, bytes)
      },
      close: () => window.close(),
    }
  } catch (error) {
    window.close()
    throw error
  }
}
