import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Json } from '../../lib/domain/canonical-json.ts'
import { findDifferences, renderDifference } from '../../lib/domain/content-difference.ts'

test('equal values have no difference, whatever the order of their keys', () => {
  assert.equal(findDifferences({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 }), [])
})

test('a difference is named by its keys, from the outside in', () => {
  const from = { deploy: { replicas: 2, mode: 'x' }, ports: [{ target: 1 }, { target: 2 }] }
  const to = { deploy: { replicas: 3, mode: 'x' }, ports: [{ target: 1 }, { target: 9 }] }
  assert.equal(findDifferences(from, to), [
    { path: 'deploy.replicas', from: 2, to: 3 },
    { path: 'ports[1].target', from: 2, to: 9 },
  ])
})

test('what is on one side alone is a difference', () => {
  assert.equal(findDifferences({ a: { b: 1 } }, { c: null }), [
    { path: 'a', from: { b: 1 }, to: undefined },
    { path: 'c', from: undefined, to: null },
  ])
  assert.equal(findDifferences({ list: [{ a: 1 }] }, { list: [] }), [
    { path: 'list[0]', from: { a: 1 }, to: undefined },
  ])
})

test('of lists of plain values only what goes and what comes is told', () => {
  assert.equal(findDifferences({ only: ['a', 'b', 'c'] }, { only: ['a', 'c', 'd'] }), [
    { path: 'only', from: 'b', to: undefined },
    { path: 'only', from: undefined, to: 'd' },
  ])
})

test('another order of a list is a difference too', () => {
  assert.equal(findDifferences({ only: [1, 2] }, { only: [2, 1] }), [
    { path: 'only', from: [1, 2], to: [2, 1] },
  ])
  assert.is(findDifferences({ only: [1] }, { only: [1, 1] }).length, 1)
})

test('there is a difference if and only if the values differ', () => {
  const value = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>
  fc.assert(
    fc.property(value, value, (a, b) => {
      const isSame = JSON.stringify(sort(a)) === JSON.stringify(sort(b))
      assert.is(findDifferences(a, b).length === 0, isSame)
      assert.equal(findDifferences(a, structuredClone(a)), [])
    }),
  )
})

test('a difference stands in one line', () => {
  assert.is(renderDifference({ path: 'a', from: 2, to: 3 }), '2 -> 3')
  assert.is(renderDifference({ path: 'a', from: undefined, to: { b: 'c' } }), '(none) -> {"b":"c"}')
})

test('long values are cut to where they begin to differ', () => {
  const lead = 'x'.repeat(100)
  const line = renderDifference({ path: 'a', from: `${lead}A${lead}`, to: `${lead}B${lead}` })
  assert.match(line, /^…x{12}Ax+… -> …x{12}Bx+…$/)
  assert.ok(line.length < 140, line)
})

function sort(value: Json): Json {
  if (Array.isArray(value)) return value.map(sort)
  if (value === null || typeof value !== 'object') return Object.is(value, -0) ? 0 : value
  return Object.fromEntries(
    Object.entries(value as Record<string, Json>)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sort(member)]),
  )
}

test.run()
