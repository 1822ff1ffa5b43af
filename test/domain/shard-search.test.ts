import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chooseEffort, chooseKind, listKinds } from '../../lib/domain/shard-search.ts'

test('chooses the kind of search by the size of the shard', () => {
  const sizes = [0, 1, 19_999, 20_000, 29_999, 30_000, 10_000_000]
  assert.equal(
    sizes.map((items) => chooseKind(items, 'auto')),
    ['exact', 'exact', 'exact', 'exact-i8', 'exact-i8', 'hnsw', 'hnsw'],
  )
})

test('does as a profile says that names a kind, but for shards that hold nothing', () => {
  assert.is(chooseKind(3, 'hnsw'), 'hnsw')
  assert.is(chooseKind(10_000_000, 'exact'), 'exact')
  assert.is(chooseKind(0, 'hnsw'), 'exact')
})

test('goes on to more exact kinds only where none is named', () => {
  assert.equal(listKinds(30_000, 'auto'), ['hnsw', 'exact-i8', 'exact'])
  assert.equal(listKinds(20_000, 'auto'), ['exact-i8', 'exact'])
  assert.equal(listKinds(100, 'auto'), ['exact'])
  assert.equal(listKinds(30_000, 'exact-i8'), ['exact-i8'])
})

test('takes the least effort that is enough, and looks no further', () => {
  const asked: number[] = []
  const chosen = chooseEffort([10, 20, 40], 0.9, (effort) => {
    asked.push(effort)
    return effort / 20
  })
  assert.equal(chosen, { effort: 20, recall: 1 })
  assert.equal(asked, [10, 20])
})

test('takes the least of the best efforts where none is enough', () => {
  const recalls = new Map([
    [10, 0.4],
    [20, 0.7],
    [40, 0.7],
  ])
  assert.equal(
    chooseEffort([10, 20, 40], 0.9, (effort) => recalls.get(effort)!),
    { effort: 20, recall: 0.7 },
  )
  assert.equal(
    chooseEffort([10, 20], 0.9, () => 0),
    { effort: 10, recall: 0 },
  )
})

test.run()
