import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { choosePieceBytes, listPieces } from '../../lib/domain/pieces.ts'

const KIB = 1024
const GIB = 2 ** 30

test('takes the size that it is given for what has few pieces of it', () => {
  assert.is(choosePieceBytes([{ bytes: 5 * GIB }, { bytes: 1 }], 256 * KIB), 256 * KIB)
  assert.is(choosePieceBytes([], 256 * KIB), 256 * KIB)
})

test('takes larger pieces where there would be more than a relay can tell of at once', () => {
  for (const gigabytes of [13, 40, 100, 180]) {
    const files = Array.from({ length: 300 }, () => ({ bytes: (gigabytes * GIB) / 300 }))
    const pieceBytes = choosePieceBytes(files, 256 * KIB)
    assert.ok(listPieces(files, pieceBytes).length <= 50_000, `${gigabytes} GiB`)
    assert.ok(listPieces(files, pieceBytes / 2).length > 50_000, `${gigabytes} GiB`)
  }
})

test('takes no piece that is larger than keeps links busy, unless it is told to', () => {
  assert.is(choosePieceBytes([{ bytes: 5_000 * GIB }], 256 * KIB), 4096 * KIB)
  assert.is(choosePieceBytes([{ bytes: 5_000 * GIB }], 8192 * KIB), 8192 * KIB)
})

test.run()
