import { LongshoreError } from '../../domain/errors.ts'
import { parseNpyHeader } from '../files/npy.ts'
import { mapFile } from '../search/mapped-file.ts'

const TYPES = { '<f4': Float32Array, '|i1': Int8Array } as const

/** A matrix as it lies in the page cache, in the order of its rows; read-only memory. */
export type MappedMatrix<Descr extends keyof typeof TYPES> = {
  readonly values: InstanceType<(typeof TYPES)[Descr]>
  /** Nothing may touch `values` afterwards. */
  close(): void
}

const HEADER_BYTES = 65_536

/** Maps a .npy file that holds numbers of this type in C order and this shape. Raises `corrupt`. */
export function openMatrix<Descr extends keyof typeof TYPES>(
  path: string,
  descr: Descr,
  shape: readonly [number, number],
): MappedMatrix<Descr> {
  const file = mapFile(path)
  const size = file.bytes.byteLength
  const header = parseNpyHeader(new Uint8Array(file.bytes, 0, Math.min(size, HEADER_BYTES)), path)
  const found = `${header.descr} ${header.fortranOrder ? 'Fortran' : 'C'} [${header.shape.join(', ')}]`
  const expected = `${descr} C [${shape.join(', ')}]`
  const type = TYPES[descr]
  const length = shape[0] * shape[1]
  const isWhole = size === header.dataOffset + length * type.BYTES_PER_ELEMENT
  if (found !== expected || !isWhole || header.dataOffset % type.BYTES_PER_ELEMENT) {
    const where = isWhole ? '' : ` in ${size} bytes`
    throw new LongshoreError('corrupt', `${path}: holds ${found}${where}, expected ${expected}`)
  }
  const values = length === 0 ? new type(0) : new type(file.from(header.dataOffset))
  return { values: values as InstanceType<(typeof TYPES)[Descr]>, close: () => file.unmap() }
}
