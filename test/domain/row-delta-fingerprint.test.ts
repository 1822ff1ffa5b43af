import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createRandom } from '../../lib/domain/random.ts'
import { writeFingerprint } from '../../lib/domain/row-delta-fingerprint.ts'

function fingerprintOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const out = new Uint32Array(2)
  writeFingerprint(bytes, start, end, out, 0)
  return out.join(' ')
}

test('is the same for the same bytes wherever they stand', () => {
  const bytes = Buffer.from('..row of bytes...row of bytes')
  assert.is(fingerprintOf(bytes, 2, 14), fingerprintOf(bytes, 17, 29))
})

test('differs for rows that differ in one bit or in length', () => {
  const random = createRandom(3)
  const row = Uint8Array.from({ length: 67 }, () => random() * 256)
  const seen = new Set([fingerprintOf(row)])
  for (let bit = 0; bit < row.length * 8; bit++) {
    const other = row.slice()
    other[bit >> 3]! ^= 1 << (bit & 7)
    seen.add(fingerprintOf(other))
  }
  for (let end = 0; end < row.length; end++) seen.add(fingerprintOf(row, 0, end))
  assert.is(seen.size, 1 + row.length * 8 + row.length)
})

test('differs for rows of zeros of different lengths', () => {
  const zeros = new Uint8Array(2048)
  const seen = new Set(Array.from({ length: 2048 }, (_, length) => fingerprintOf(zeros, 0, length)))
  assert.is(seen.size, 2048)
})

test.run()
