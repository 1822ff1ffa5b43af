import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { FleetNode } from '../../lib/domain/fleet.ts'
import { type Copy, planReading, planRepair } from '../../lib/domain/plan-verify.ts'
import { planPortions } from '../../lib/domain/portions.ts'
import { listHolders } from '../../lib/domain/shard-spread.ts'
import { refTo, shapeWith } from '../support/model-fleet.ts'

function nodeWith(name: string, generations: FleetNode['generations'], reachable = true): FleetNode {
  return { name, reachable, freeBytes: 1e9, memoryBytes: 1e9, generations }
}

const SPREAD = { nodes: ['a', 'b', 'c'].map((name) => ({ name, domains: [] })), copies: 2 }
const NODES = [
  nodeWith('has-it', [refTo(8)]),
  nodeWith('lacks-it', [refTo(7)]),
  nodeWith('has-another', [{ name: 'dg_8', digest: 'sha256:other' }]),
  nodeWith('cannot-read', [{ name: 'dg_8', digest: null }]),
  nodeWith('lost', [], false),
]

test('reads what nodes hold by name and digest, and knows of the rest without reading', () => {
  const planned = planReading(NODES, [shapeWith(8, [0])])
  assert.equal(
    planned.map((copy) => ('state' in copy ? `${copy.node}: ${copy.state}` : `${copy.node} is read`)),
    [
      'has-it is read',
      'lacks-it: missing',
      'has-another: damaged',
      'cannot-read: damaged',
      'lost: unreachable',
    ],
  )
})

const COPIES: Copy[] = [
  { node: 'a', generation: refTo(8), state: 'sound' },
  { node: 'b', generation: refTo(8), state: 'damaged', problem: 'clust_0/vectors.npy is missing' },
  { node: 'c', generation: refTo(8), state: 'missing' },
  { node: 'd', generation: refTo(8), state: 'unreachable' },
  { node: 'e', generation: refTo(8), state: 'damaged' },
]
const HOLDERS = ['e', 'b', 'a'].map((name) => nodeWith(name, [refTo(8)]))
const shapes = [shapeWith(8, [0])]

test('mends from nodes, sound ones first, and at last from here; brings whole copies as a delivery does', () => {
  const steps = planRepair(COPIES, HOLDERS, { shapes, isHere: () => true })
  assert.equal(
    steps.map(({ action, node, cause }) => `${action} ${node}: ${cause}`),
    [
      'mend b: damaged there: clust_0/vectors.npy is missing; brought from a, e, this machine',
      'deliver c: missing there; brought from this machine',
      'mend e: damaged there; brought from a, b, this machine',
    ],
  )
  assert.is(steps[0]?.bytes, shapeWith(8, [0]).bytes)
})

test('mends from nodes alone what this machine no longer has, whole copies too', () => {
  const steps = planRepair(COPIES, HOLDERS, { shapes, isHere: () => false })
  assert.equal(
    steps.map(({ action, node, peers, isHere }) => [action, node, peers?.join(), isHere]),
    [
      ['mend', 'b', 'a,e', false],
      ['mend', 'c', 'a,e,b', false],
      ['mend', 'e', 'a,b', false],
    ],
  )
})

test('of spread shards, calls a copy damaged that lacks one of its own, and reads what it holds besides', () => {
  const shape = {
    ...shapeWith(8, [0, 1, 2]),
    portions: planPortions({ clusters: [0, 1, 2], files: [] }, SPREAD),
  }
  const own = listHolders(SPREAD, 0)[0]!
  const wanted = shape.portions.clustersOf.get(own)!
  const others = [0, 1, 2].filter((cluster) => !wanted.includes(cluster))
  const [whole] = planReading([nodeWith(own, [{ ...refTo(8), clusters: [0, 1, 2] }])], [shape])
  assert.equal(whole, { node: own, generation: refTo(8), clusters: [0, 1, 2] })
  const [lacking] = planReading([nodeWith(own, [{ ...refTo(8), clusters: others }])], [shape])
  assert.match((lacking as Copy).problem ?? '', /^it lacks shards 0/)
})

test.run()
