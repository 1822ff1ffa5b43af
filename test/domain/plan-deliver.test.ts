import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { FleetNode } from '../../lib/domain/fleet.ts'
import { planDelivery, planRemoval } from '../../lib/domain/plan-deliver.ts'
import { refTo, shapeWith } from '../support/model-fleet.ts'

function nodeWith(name: string, generations: FleetNode['generations'], reachable = true): FleetNode {
  return { name, reachable, freeBytes: 1e9, memoryBytes: 1e9, generations }
}

test('delivers to reachable nodes that lack the generation, and says why', () => {
  const nodes = [
    nodeWith('has-it', [refTo(8)]),
    nodeWith('lacks-it', []),
    nodeWith('has-another', [{ name: 'dg_8', digest: 'sha256:other' }]),
    nodeWith('cannot-read', [{ name: 'dg_8', digest: null }]),
    nodeWith('lost', [], false),
  ]
  const steps = planDelivery(nodes, shapeWith(8, [0]))
  assert.equal(
    steps.map(({ node, cause }) => `${node}: ${cause}`),
    [
      'lacks-it: lacks-it does not hold it',
      'has-another: has-another holds another dg_8',
      'cannot-read: what cannot-read holds as dg_8 cannot be read',
    ],
  )
})

test('removes the oldest beyond what is kept, never what is kept by name or newer', () => {
  const node = nodeWith('node-1', [1, 2, 3, 4, 5, 6, 7, 8, 9].map(refTo))
  const steps = planRemoval([node], { newest: 'dg_8', kept: ['dg_2', 'dg_7', 'dg_8'], keep: 2 })
  assert.equal(
    steps.map(({ target }) => target),
    ['dg_4', 'dg_3', 'dg_1'],
  )
})

test('removes what a delivery left that did not end, unless it is kept, newer, or may be continued', () => {
  const taken = { dg_3: 5, dg_5: 5, dg_7: 5, dg_8: 5, dg_9: 5 }
  const node = { ...nodeWith('node-1', [refTo(7)]), taken }
  const steps = planRemoval([node], { newest: 'dg_8', kept: ['dg_5', 'dg_8'], keep: 1 })
  assert.equal(
    steps.map(({ target, cause }) => `${target}: ${cause}`),
    ['dg_3: left by a delivery that did not end'],
  )
})

test.run()
