import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { listHolders, type Spread, type SpreadNode } from '../../lib/domain/shard-spread.ts'

const CLUSTERS = Array.from({ length: 400 }, (_, cluster) => cluster)

function spreadOver(count: number, domainsOf: (at: number) => string[] = () => [], copies = 2): Spread {
  const nodes = Array.from(
    { length: count },
    (_, at): SpreadNode => ({ name: `n${at}`, domains: domainsOf(at) }),
  )
  return { nodes, copies }
}

test('puts every shard on as many nodes as are asked for, or as there are', () => {
  for (const [nodes, copies, expected] of [
    [5, 2, 2],
    [5, 3, 3],
    [1, 2, 1],
    [2, 2, 2],
  ] as const) {
    const spread = spreadOver(nodes, undefined, copies)
    for (const cluster of CLUSTERS) assert.is(new Set(listHolders(spread, cluster)).size, expected)
  }
})

test('gives each node about as many shards', () => {
  const spread = spreadOver(8)
  const counts = spread.nodes.map(({ name }) => {
    return CLUSTERS.filter((cluster) => listHolders(spread, cluster).includes(name)).length
  })
  for (const count of counts) assert.ok(count > 70 && count < 130, counts.join())
})

test('places by names alone: the order of nodes does not matter', () => {
  const spread = spreadOver(6)
  const turned = { ...spread, nodes: spread.nodes.toReversed() }
  for (const cluster of CLUSTERS) assert.equal(listHolders(turned, cluster), listHolders(spread, cluster))
})

test('a node more takes the shards that it gets, and moves no other one', () => {
  const [before, after] = [spreadOver(9), spreadOver(10)]
  let taken = 0
  for (const cluster of CLUSTERS) {
    const [old, now] = [listHolders(before, cluster), listHolders(after, cluster)]
    const added = now.filter((name) => !old.includes(name))
    assert.ok(
      added.every((name) => name === 'n9'),
      `${cluster}: ${old} -> ${now}`,
    )
    taken += added.length
  }
  assert.ok(taken > 50 && taken < 110, `${taken} of ${2 * CLUSTERS.length}`)
})

test('puts the copies of a shard in different zones, and in both replica groups first', () => {
  const zones = spreadOver(6, (at) => [`zone-${at % 3}`])
  for (const cluster of CLUSTERS) {
    const numbers = listHolders(zones, cluster).map((name) => Number(name.slice(1)) % 3)
    assert.is(new Set(numbers).size, 2)
  }
  const groups = spreadOver(6, (at) => [String(at % 2), 'one zone'])
  for (const cluster of CLUSTERS) {
    const sides = listHolders(groups, cluster).map((name) => Number(name.slice(1)) % 2)
    assert.equal(sides.sort(), [0, 1])
  }
})

test.run()
