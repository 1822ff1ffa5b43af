import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openFaissFlat } from '../../../lib/adapters/files/faiss-flat.ts'
import { createFloats } from '../../../lib/adapters/files/floats.ts'
import { type MatrixFile, openNpyMatrix, readNpyMatrix } from '../../../lib/adapters/files/matrix.ts'
import { renderNpyHeader } from '../../../lib/adapters/files/npy.ts'
import { openNpyIntegers } from '../../../lib/adapters/files/npy-integers.ts'
import { fixturePath, readExpected } from '../../support/inputs.ts'
import { makeTempDir } from '../../support/temp.ts'

const directory = makeTempDir()
const { rows } = readExpected()

function writeNpy(name: string, descr: string, shape: number[], data: ArrayBufferView): string {
  const path = join(directory, name)
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  writeFileSync(path, Buffer.concat([renderNpyHeader(descr, shape), bytes]))
  return path
}

function readAll(matrix: MatrixFile): number[][] {
  const target = createFloats(matrix.rows * matrix.dimensions)
  for (let row = 0; row < matrix.rows; row++) matrix.copyRow(row, target, row * matrix.dimensions)
  matrix.close()
  return Array.from({ length: matrix.rows }, (_, row) => [
    ...target.floats.subarray(row * matrix.dimensions, (row + 1) * matrix.dimensions),
  ])
}

test('reads float32 as NumPy saved it', () => {
  assert.equal(
    readAll(openNpyMatrix(fixturePath('pickles/rows.npy'))),
    rows.map((row) => [...row]),
  )
})

test('reads float16 exactly, with its subnormal and infinite values', () => {
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x3555)
  const path = writeNpy('half.npy', '<f2', [2, 3], halves)
  assert.equal(readAll(openNpyMatrix(path)), [
    [1, -2, 2 ** -24],
    [65504, Number.POSITIVE_INFINITY, 0.333251953125],
  ])
})

test('rounds float64 to the nearest float32', () => {
  const path = writeNpy('double.npy', '<f8', [1, 2], Float64Array.of(0.1, 1e-50))
  assert.equal(readAll(openNpyMatrix(path)), [[Math.fround(0.1), 0]])
})

test('refuses Fortran order, other types, other shapes and missing bytes, naming the file', () => {
  const data = new Float32Array(6)
  const fortran = renderNpyHeader('<f4', [2, 3])
  const text = Buffer.from(fortran).toString('latin1').replace('False', 'True ')
  writeFileSync(
    join(directory, 'fortran.npy'),
    Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(24)]),
  )
  const failures: [string, RegExp][] = [
    [join(directory, 'fortran.npy'), /fortran\.npy.*Fortran order.*ascontiguousarray/],
    [writeNpy('big.npy', '>f4', [2, 3], data), /holds >f4/],
    [writeNpy('ints.npy', '<i4', [2, 3], data), /holds <i4/],
    [writeNpy('flat.npy', '<f4', [6], data), /shape \(6\), expected \(rows, dimensions\)/],
    [writeNpy('short.npy', '<f4', [3, 3], data), /ends too early: 3 rows of 3 numbers/],
  ]
  for (const [path, message] of failures) assert.throws(() => openNpyMatrix(path), message)
})

test('tells a missing file as not found', () => {
  assert.throws(
    () => readNpyMatrix(join(directory, 'nothing.npy')),
    (error: { kind: string }) => error.kind === 'not-found',
  )
})

test('reads whole numbers of every width', () => {
  const cases: [string, ArrayBufferView, number[]][] = [
    ['<i8', BigInt64Array.of(3n, -1n), [3, -1]],
    ['<i4', Int32Array.of(3, -1), [3, -1]],
    ['|u1', Uint8Array.of(3, 255), [3, 255]],
    ['<i2', Int16Array.of(3, -1), [3, -1]],
  ]
  for (const [descr, data, numbers] of cases) {
    const file = openNpyIntegers(writeNpy('whole.npy', descr, [2], data))
    assert.equal([file.read(0), file.read(1)], numbers, descr)
    file.close()
  }
  assert.throws(
    () => openNpyIntegers(writeNpy('f.npy', '<f4', [2], new Float32Array(2))),
    'expected integers',
  )
})

test('reads pickled and plain faiss indexes, by distance and by inner product', () => {
  for (const shard of [0, 1, 2]) {
    const mine = rows.filter((_, row) => row % 3 === shard).map((row) => [...row])
    assert.equal(readAll(openFaissFlat(fixturePath(`split/clust_${shard}/index`))), mine, `clust_${shard}`)
  }
})

test('refuses indexes that are not flat, or whose counts do not agree', () => {
  const path = join(directory, 'index')
  const header = Buffer.alloc(64)
  header.write('IwFl')
  writeFileSync(path, header)
  assert.throws(() => openFaissFlat(path), /index, byte 0: expected a flat faiss index .*found "IwFl"/)
  header.write('IxF2')
  header.writeInt32LE(8, 4)
  header.writeBigInt64LE(2n, 8)
  writeFileSync(path, header)
  assert.throws(() => openFaissFlat(path), '2 vectors of 8 numbers do not make 0 numbers')
})

test.run()
