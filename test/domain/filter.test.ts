import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { isMatching, parseFilter } from '../../lib/domain/filter.ts'

const matches = (filter: unknown, item: Record<string, unknown>) => isMatching(parseFilter(filter), item)

function refusalOf(filter: unknown): string {
  try {
    parseFilter(filter)
  } catch (error) {
    assert.instance(error, LongshoreError)
    assert.is((error as LongshoreError).kind, 'usage')
    return (error as LongshoreError).message
  }
  return assert.unreachable(`${JSON.stringify(filter)} was taken`) as never
}

test('keeps items whose members are what was asked for, of the same type', () => {
  assert.ok(matches({ lang: 'en', year: 2020 }, { lang: 'en', year: 2020, id: 'x' }))
  assert.not.ok(matches({ lang: 'en', year: 2020 }, { lang: 'en', year: 2021 }))
  assert.not.ok(matches({ year: 2020 }, { year: '2020' }))
  assert.ok(matches({ gone: null, open: false }, { gone: null, open: false }))
  assert.not.ok(matches({ open: false }, { open: 0 }))
})

test('keeps items whose member is one of several values', () => {
  const filter = { tag: { in: ['a', 7, null] } }
  for (const tag of ['a', 7, null]) assert.ok(matches(filter, { tag }))
  for (const tag of ['b', '7', undefined, ['a'], { a: 1 }]) assert.not.ok(matches(filter, { tag }))
})

test('an item that lacks the member meets no condition, not even that of null or of what every object has', () => {
  for (const wanted of [null, { in: [null] }, { gte: 0 }, { lt: 'z' }]) {
    assert.not.ok(matches({ missing: wanted }, { id: 'x' }))
    assert.not.ok(matches({ constructor: wanted }, { id: 'x' }))
  }
})

test('compares with bounds of the same type, and with nothing else', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), fc.integer(), (value, low, high) => {
      assert.is(matches({ n: { gte: low, lt: high } }, { n: value }), value >= low && value < high)
      assert.is(matches({ n: { gt: low, lte: high } }, { n: value }), value > low && value <= high)
    }),
    { seed: 4 },
  )
  assert.ok(matches({ at: { gte: '2020-01-01', lt: '2021' } }, { at: '2020-06-30' }))
  for (const n of ['5', null, true, [5], undefined]) assert.not.ok(matches({ n: { gte: 0 } }, { n }))
  assert.not.ok(matches({ n: { gte: '0' } }, { n: 5 }))
})

test('refuses what is no filter, naming the member and what was expected', () => {
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`m${at}`, 1]))
  const cases: [unknown, RegExp][] = [
    [[], /^filter: expected an object/],
    ['lang=en', /^filter: expected an object/],
    [null, /^filter: expected an object/],
    [{}, /^filter: expected 1 to 16 members/],
    [many, /^filter: expected 1 to 16 members/],
    [{ lang: ['en'] }, /^filter\.lang: expected a value/],
    [{ lang: {} }, /^filter\.lang: expected "in" alone, or some of gt, gte, lt, lte/],
    [{ lang: { like: 'e' } }, /^filter\.lang: expected "in" alone/],
    [{ lang: { in: ['a'], gte: 'b' } }, /^filter\.lang: expected "in" alone/],
    [{ lang: { in: [] } }, /^filter\.lang\.in: expected a list of 1 to 256/],
    [{ lang: { in: [{}] } }, /^filter\.lang\.in: expected a list/],
    [{ year: { gte: true } }, /^filter\.year\.gte: expected a text or a finite number/],
    [{ year: { gte: 1, lt: 'z' } }, /^filter\.year: expected bounds of one type/],
    [{ year: Number.POSITIVE_INFINITY }, /^filter\.year: expected a value/],
    [{ year: { lt: Number.NaN } }, /^filter\.year\.lt: expected/],
  ]
  for (const [filter, message] of cases) assert.match(refusalOf(filter), message)
})

test('takes any JSON for a filter or refuses it as wrong usage, and then tells of any item', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue()), (filter, item) => {
      try {
        assert.type(matches(filter, item), 'boolean')
      } catch (error) {
        assert.instance(error, LongshoreError)
      }
    }),
    { seed: 4, numRuns: 2000 },
  )
})

test.run()
