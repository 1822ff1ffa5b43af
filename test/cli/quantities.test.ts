import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { renderBytes, renderCount, renderDuration, renderMeasure } from '../../lib/cli/quantities.ts'

const SIZES: [number, string][] = [
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [10 * 1024, '10 KiB'],
  [2_048_120, '2.0 MiB'],
  [5 * 1024 ** 4, '5.0 TiB'],
  [2000 * 1024 ** 4, '2000 TiB'],
]
for (const [bytes, text] of SIZES) {
  test(`writes ${bytes} bytes as ${text}`, () => assert.is(renderBytes(bytes), text))
}

const DURATIONS: [number, string][] = [
  [0, '0 ms'],
  [340.4, '340 ms'],
  [999.9, '1.0 s'],
  [59_940, '59.9 s'],
  [59_990, '1 min 00 s'],
  [65_000, '1 min 05 s'],
  [7_380_000, '2 h 03 min'],
]
for (const [ms, text] of DURATIONS) {
  test(`writes ${ms} ms as ${text}`, () => assert.is(renderDuration(ms), text))
}

test('sets thousands apart', () => assert.is(renderCount(400_000), '400,000'))

test('gives a measured value as many digits as a decision needs', () => {
  assert.equal([1, 0.9, 0.98765, 0.9999999, 0.0000123, 12.5, NaN].map(renderMeasure), [
    '1',
    '0.9',
    '0.9877',
    '1',
    '0.000012',
    '12.5',
    'NaN',
  ])
})

test.run()
