import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { listOtherMembers } from '../../../lib/adapters/swarm/node-labels.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { SwarmNode } from '../../../lib/domain/swarm-inspect.ts'

const nodeWith = (name: string, labels: Record<string, string>): SwarmNode => {
  return { id: name, name, isDown: false, labels }
}
const NODES = [
  nodeWith('n1', { 'longshore.demo.node': 'member' }),
  nodeWith('n2', { 'longshore.demo.node': 'member' }),
  nodeWith('n3', { 'longshore.demo.dg_8': '8888888888888888' }),
  nodeWith('n4', { 'longshore.other.node': 'member', 'longshore.demonstration.dg_8': '8' }),
]

test('a service stays off all other nodes of its fleet, also those that only hold its data so far', () => {
  assert.equal(listOtherMembers('demo', { nodes: NODES, wanted: ['n1'] }), ['n2', 'n3'])
})

test('refuses a node that is not in the Swarm', () => {
  assert.throws(
    () => listOtherMembers('demo', { nodes: NODES, wanted: ['n9'] }),
    (error: unknown) => error instanceof LongshoreError && error.kind === 'usage' && /n9/.test(error.message),
  )
})

test.run()
