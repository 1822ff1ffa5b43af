import { LongshoreError } from '../../domain/errors.ts'

const MAGIC = '\x93NUMPY'
const ALIGNMENT = 64

/** What the header of a .npy file tells: element type as NumPy writes it (`<f4`), shape, and where the data begin. */
export type NpyHeader = {
  readonly descr: string
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
  readonly dataOffset: number
}

/**
 * The header at the start of `bytes` (the first 64 KiB of a file are always enough for arrays of numbers).
 * Format: numpy.lib.format versions 1 to 3. Raises `corrupt` naming `where`.
 */
export function parseNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  const fail = (what: string): never => {
    throw new LongshoreError('corrupt', `${where}: ${what}`, {
      hint: 'expected a .npy file as numpy.save writes it',
    })
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < 12 || view.toString('latin1', 0, 6) !== MAGIC) fail('is no .npy file')
  const wide = view.readUInt8(6) >= 2
  const start = wide ? 12 : 10
  const length = wide ? view.readUInt32LE(8) : view.readUInt16LE(8)
  if (start + length > view.length) fail('ends inside its header')
  const header = view.toString('latin1', start, start + length)
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1]
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1]
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1]
  if (descr === undefined || order === undefined || shape === undefined) {
    return fail(`has the header ${JSON.stringify(header.trim())}, which describes no plain array`)
  }
  return {
    descr,
    fortranOrder: order === 'True',
    shape: shape
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)
      .map(Number),
    dataOffset: start + length,
  }
}

/** The header of a C-order array, padded so that the data begin at a multiple of 64 bytes. */
export function renderNpyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`
  const unpadded = 10 + text.length + 1
  const total = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT
  const bytes = Buffer.alloc(total, ' ')
  bytes.write(MAGIC, 0, 'latin1')
  bytes.writeUInt8(1, 6)
  bytes.writeUInt8(0, 7)
  bytes.writeUInt16LE(total - 10, 8)
  bytes.write(text, 10, 'latin1')
  bytes.write('\n', total - 1, 'latin1')
  return bytes
}
