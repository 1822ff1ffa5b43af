import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compareHits, mergeDistinct, mergeTopK } from '../../lib/domain/top-k.ts'

type Hit = { readonly id: string; readonly score: number; readonly item: { readonly text?: string } }

const hit = (id: string, score: number, text?: string): Hit => ({
  id,
  score,
  item: text === undefined ? {} : { text },
})
const idsOf = (hits: readonly Hit[]) => hits.map(({ id }) => id)

/** Items with few different scores and texts, so that ties and repeats are frequent; ids are unique. */
const items = fc
  .array(fc.record({ score: fc.integer({ min: 0, max: 6 }), text: fc.option(fc.nat(4), { nil: undefined }) }))
  .map((list) =>
    list.map(({ score, text }, at) => hit(`i${at}`, score, text === undefined ? text : `t${text}`)),
  )
/** Where each item is stored: in one of four shards, some in a second one as well. */
const homes = fc.array(fc.tuple(fc.nat(3), fc.option(fc.nat(3), { nil: undefined })), {
  minLength: 64,
  maxLength: 64,
})

function spread(list: readonly Hit[], places: readonly (readonly [number, number | undefined])[]): Hit[][] {
  return [0, 1, 2, 3].map((shard) =>
    list.filter((_, at) => places[at % places.length]!.includes(shard)).sort(compareHits),
  )
}

/** What the whole generation holds, distinct by text, the slow and plain way. */
function distinctOf(list: readonly Hit[]): Hit[] {
  const kept: Hit[] = []
  for (const each of [...list].sort(compareHits)) {
    const isTold = each.item.text !== undefined && kept.some(({ item }) => item.text === each.item.text)
    if (!isTold) kept.push(each)
  }
  return kept
}

test('orders hits by score, and equal ones by id whoever answered first', () => {
  const lists = [
    [hit('b', 1), hit('d', 0.5)],
    [hit('a', 1), hit('c', 0.5)],
  ]
  assert.equal(idsOf(mergeTopK(lists, 3)), ['a', 'b', 'c'])
  assert.equal(idsOf(mergeTopK(lists.toReversed(), 3)), ['a', 'b', 'c'])
})

test('counts an item that two clusters hold once, with its best score', () => {
  const lists = [
    [hit('x', 0.4), hit('y', 0.3)],
    [hit('x', 0.5), hit('z', 0.2)],
  ]
  assert.equal(mergeTopK(lists, 3), [hit('x', 0.5), hit('y', 0.3), hit('z', 0.2)])
})

test('finds the k best of everything from the k best of each shard', () => {
  fc.assert(
    fc.property(items, homes, fc.integer({ min: 1, max: 12 }), (list, places, k) => {
      const lists = spread(list, places).map((shard) => shard.slice(0, k))
      assert.equal(mergeTopK(lists, k), [...list].sort(compareHits).slice(0, k))
    }),
    { seed: 4, numRuns: 500 },
  )
})

test('keeps the best of those with the same text, and all that have none', () => {
  const hits = [
    hit('a', 0.9, 'one'),
    hit('b', 0.8, 'one'),
    hit('c', 0.7),
    hit('d', 0.6),
    hit('e', 0.5, 'two'),
  ]
  const merged = mergeDistinct([{ hits, isCut: false }], 4)
  assert.equal(merged, { hits: [hits[0], hits[2], hits[3], hits[4]], short: [] })
})

test('never takes a text for an id', () => {
  const hits = [hit('a', 0.9, 'b'), hit('b', 0.8)]
  assert.equal(idsOf(mergeDistinct([{ hits, isCut: false }], 2).hits), ['a', 'b'])
})

test('says which shards must tell more before the distinct hits are certain', () => {
  const same = { hits: [hit('a', 0.9, 'one'), hit('b', 0.8, 'one')], isCut: true }
  const other = { hits: [hit('c', 0.7, 'two'), hit('d', 0.1, 'three')], isCut: true }
  const { hits, short } = mergeDistinct([same, other], 2)
  assert.equal(short, [0], 'behind b there may be better ones than c; behind d there are none')
  assert.equal(idsOf(hits), ['a'])
  assert.equal(mergeDistinct([{ ...same, isCut: false }, other], 2).short, [])
})

test('tells the distinct best or fewer, never another one, and all once asked shards tell enough', () => {
  fc.assert(
    fc.property(
      items,
      homes,
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 8 }),
      (list, places, k, limit) => {
        const shards = spread(list, places)
        const limits = shards.map(() => limit)
        const expected = idsOf(distinctOf(list).slice(0, k))
        for (let round = 0; ; round++) {
          const cut = shards.map((hits, at) => ({
            hits: hits.slice(0, limits[at]),
            isCut: hits.length >= limits[at]!,
          }))
          const { hits, short } = mergeDistinct(cut, k)
          assert.equal(idsOf(hits), expected.slice(0, hits.length))
          if (short.length === 0) {
            assert.is(hits.length, expected.length)
            return
          }
          assert.ok(round < 64, 'more was asked for than there is')
          for (const at of short) limits[at]! += limit
        }
      },
    ),
    { seed: 4, numRuns: 500 },
  )
})

test.run()
