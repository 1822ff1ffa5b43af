import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Filter, isMatching, parseFilter } from '../../lib/domain/filter.ts'
import { readColumn, selectRows } from '../../services/index/item-columns.ts'
import { raised } from '../support/raised.ts'
import { makeTempDir } from '../support/temp.ts'

const LIMIT = 1 << 20
const directory = makeTempDir()

function writeItems(items: readonly unknown[]): string {
  const path = join(directory, 'items.jsonl')
  writeFileSync(path, items.map((item) => `${JSON.stringify(item)}\n`).join(''))
  return path
}

function select(items: readonly Record<string, unknown>[], filter: Filter): number[] {
  const path = writeItems(items)
  const columnOf = (member: string) => readColumn(path, { items: items.length, member, limit: LIMIT }).column
  return [...selectRows(filter, columnOf, items.length)]
}

test('selects exactly the items that meet the filter, whatever their members hold', () => {
  const scalar = fc.oneof(
    fc.constantFrom('1', 'en', 'de', '', 'true'),
    fc.integer({ min: 0, max: 3 }),
    fc.boolean(),
    fc.constant(null),
  )
  const value = fc.oneof(scalar, fc.array(scalar), fc.record({ a: scalar }))
  const member = fc.constantFrom('a', 'b', 'toString', '__proto__')
  const items = fc.array(fc.dictionary(member, value, { noNullPrototype: true }), { maxLength: 20 })
  const bound = fc.integer({ min: 0, max: 3 })
  const condition = fc.oneof(
    scalar,
    fc.record({ in: fc.array(scalar, { minLength: 1, maxLength: 3 }) }),
    fc.record({ gte: bound, lt: bound }),
    fc.record({ gt: fc.constantFrom('', 'de') }),
  )
  const filters = fc.dictionary(member, condition, { minKeys: 1, noNullPrototype: true })
  fc.assert(
    fc.property(items, filters, (list, wanted) => {
      const filter = parseFilter(wanted)
      const read = list.map((item) => JSON.parse(JSON.stringify(item)) as Record<string, unknown>)
      const expected = [...read.keys()].filter((row) => isMatching(filter, read[row]!))
      assert.equal(select(list, filter), expected)
    }),
    { numRuns: 300 },
  )
})

test('tells that a column is too large instead of holding it', () => {
  const items = Array.from({ length: 1000 }, (_, row) => ({ id: `item ${row}`, lang: row % 2 ? 'en' : 'de' }))
  const path = writeItems(items)
  const read = (member: string, limit: number) => readColumn(path, { items: 1000, member, limit }).column
  assert.is(read('id', 20_000), undefined)
  assert.is(read('lang', 3_000), undefined)
  assert.ok(read('lang', 20_000)!.bytes <= 20_000)
})

test('tells the members that items have, unless they are very many', () => {
  const some = writeItems([{ id: 'a', lang: 'en' }, { id: 'b' }])
  const scan = readColumn(some, { items: 2, member: 'absent', limit: LIMIT })
  assert.equal([...scan.members!], ['id', 'lang'])
  assert.equal([...scan.column!.codes], [0, 0])
  const many = writeItems(Array.from({ length: 1100 }, (_, row) => ({ [`m${row}`]: 1 })))
  assert.is(readColumn(many, { items: 1100, member: 'm3', limit: LIMIT }).members, undefined)
})

test('names the line that is no item', async () => {
  const path = writeItems([{ id: 'a' }])
  writeFileSync(path, '{"id":"a"}\n{"id":\n')
  const error = await raised(
    'corrupt',
    (async () => readColumn(path, { items: 2, member: 'id', limit: LIMIT }))(),
  )
  assert.match(error.message, /items\.jsonl:2/)
})

test.run()
