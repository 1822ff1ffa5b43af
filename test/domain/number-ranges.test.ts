import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRanges, renderRanges } from '../../lib/domain/number-ranges.ts'

test('numbers come back as they were, in few characters', () => {
  assert.is(renderRanges([7, 0, 2, 1, 3]), '0-3,7')
  assert.is(renderRanges([...Array(1000).keys()]), '0-999')
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(200)), (numbers) => {
      assert.equal(
        parseRanges(renderRanges(numbers)),
        numbers.toSorted((a, b) => a - b),
      )
    }),
  )
})

test('refuses what is no list of numbers', () => {
  for (const text of ['a', '1-', '1,,2', '-3']) assert.throws(() => parseRanges(text), /no list of numbers/)
})

test.run()
