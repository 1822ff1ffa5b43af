import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { FleetNode } from '../../lib/domain/fleet.ts'
import { findShortages } from '../../lib/domain/plan-room.ts'

const NODE: FleetNode = { name: 'n1', reachable: true, freeBytes: 100, memoryBytes: 1, generations: [] }
const deliver = (bytes: number, node = 'n1') => ({ action: 'deliver', target: 'dg_8', node, bytes }) as const

test('names a node whose room is less than what comes to it, in bytes', () => {
  assert.equal(findShortages([NODE], [deliver(100)]), [])
  assert.equal(findShortages([NODE], [deliver(101)]), [{ node: 'n1', needed: 101, free: 100 }])
  assert.equal(findShortages([NODE], [deliver(60), deliver(60)]), [{ node: 'n1', needed: 120, free: 100 }])
  assert.equal(findShortages([NODE], [deliver(101, 'n2')]), [])
})

test('counts the room that removed generations give, and what came before an interruption', () => {
  const node = { ...NODE, taken: { dg_3: 50, dg_8: 30 } }
  const remove = { action: 'remove', target: 'dg_3', node: 'n1' } as const
  assert.equal(findShortages([node], [deliver(180)], [remove]), [])
  assert.is(findShortages([node], [deliver(181)], [remove]).length, 1)
})

test('counts no copy that stands under the final name: the new one is put together beside', () => {
  const held = { ...NODE, taken: { dg_8: 30 }, generations: [{ name: 'dg_8', digest: null }] }
  assert.is(findShortages([held], [deliver(101)]).length, 1)
})

test.run()
