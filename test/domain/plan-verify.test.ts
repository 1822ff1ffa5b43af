import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { FleetNode } from '../../lib/domain/fleet.ts'
import { planReading, planRepair } from '../../lib/domain/plan-verify.ts'
import { refTo, shapeWith } from '../support/model-fleet.ts'

function nodeWith(name: string, generations: FleetNode['generations'], reachable = true): FleetNode {
  return { name, reachable, freeBytes: 1e9, memoryBytes: 1e9, generations }
}

const NODES = [
  nodeWith('has-it', [refTo(8)]),
  nodeWith('lacks-it', [refTo(7)]),
  nodeWith('has-another', [{ name: 'dg_8', digest: 'sha256:other' }]),
  nodeWith('cannot-read', [{ name: 'dg_8', digest: null }]),
  nodeWith('lost', [], false),
]

test('reads what nodes hold by name and digest, and knows of the rest without reading', () => {
  const planned = planReading(NODES, [refTo(8)])
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

test('brings again what is damaged or missing, and leaves alone what is sound or cannot be reached', () => {
  const generation = refTo(8)
  const steps = planRepair(
    [
      { node: 'a', generation, state: 'sound' },
      { node: 'b', generation, state: 'damaged', problem: 'clust_0/vectors.npy is missing' },
      { node: 'c', generation, state: 'missing' },
      { node: 'd', generation, state: 'unreachable' },
    ],
    [shapeWith(8, [0])],
  )
  assert.equal(
    steps.map(({ action, node, cause }) => `${action} ${node}: ${cause}`),
    ['deliver b: damaged there: clust_0/vectors.npy is missing', 'deliver c: missing there'],
  )
  assert.is(steps[0]?.bytes, shapeWith(8, [0]).bytes)
})

test.run()
