import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { countGoldenQueries, parseGolden, renderGolden } from '../../lib/domain/golden.ts'
import { createRandom, sampleNumbers } from '../../lib/domain/random.ts'

test('writes float32 values that come back to the last bit, with nine digits at most', () => {
  const random = createRandom(5)
  const vector = [
    ...Float32Array.from({ length: 500 }, () => (random() - 0.5) * 10 ** Math.floor(random() * 20 - 12)),
  ]
  const text = renderGolden({ k: 10, queries: [{ id: 'a', text: 'ä"', vector, hits: [] }], pairs: [] })
  const values = parseGolden(text, 'golden.json', 500).queries[0]!.vector
  assert.equal(values.map(Math.fround), vector)
  assert.ok(values.every((value) => Number(value.toPrecision(9)) === value))
})

test('calls a golden file corrupt that is no JSON or has vectors of another length', () => {
  const text = renderGolden({ k: 10, queries: [{ id: 'a', vector: [1, 2], hits: [] }], pairs: [] })
  for (const [broken, message] of [
    [text.slice(1), /golden\.json: is no JSON/],
    [text, /queries\[0\]: expected a vector of 3/],
  ] as const) {
    try {
      parseGolden(broken, 'golden.json', 3)
      assert.unreachable()
    } catch (error) {
      assert.ok(error instanceof LongshoreError && error.kind === 'corrupt')
      assert.match(error.message, message)
    }
  }
})

test('samples fewer golden queries where comparing them with everything would take long, but never too few', () => {
  assert.is(countGoldenQueries(100, 4000, 512), 100)
  assert.is(countGoldenQueries(100, 10, 512), 10)
  assert.is(countGoldenQueries(100, 10_000_000, 512), 32)
})

test('samples different numbers below the total, the same ones for the same seed', () => {
  const numbers = sampleNumbers(1000, 50, createRandom(1))
  assert.is(new Set(numbers).size, 50)
  assert.ok(numbers.every((number) => number >= 0 && number < 1000))
  assert.equal(numbers, sampleNumbers(1000, 50, createRandom(1)))
  assert.equal(sampleNumbers(3, 50, createRandom(1)), [0, 1, 2])
})

test.run()
