import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CONTROL, type Fetch } from '../../lib/domain/piece-planner-types.ts'
import { type PlayedDelivery, playDelivery } from '../support/played-delivery.ts'

const STEP_MS = 10
const range = (count: number) => Array.from({ length: count }, (_, index) => index)
const fromControl = (fetches: readonly Fetch[]) => fetches.filter(({ from }) => from === CONTROL)

/** Ends what is under way, but for what hangs; who is slow takes ten steps for a fetch, in or out. */
function play(
  delivery: PlayedDelivery,
  {
    steps,
    slow = -2,
    hangs = () => false,
  }: { steps: number; slow?: number; hangs?: (fetch: Fetch) => boolean },
): void {
  const begun = new Map<Fetch, number>()
  for (let step = 0; step < steps; step++) {
    delivery.pass(STEP_MS)
    for (const fetch of delivery.underWay) if (!begun.has(fetch)) begun.set(fetch, step)
    const isOver = (fetch: Fetch) =>
      step - begun.get(fetch)! >= (fetch.to === slow || fetch.from === slow ? 20 : 2) && !hangs(fetch)
    for (const fetch of delivery.underWay.filter(isOver)) {
      if (delivery.underWay.includes(fetch)) delivery.finish(fetch)
    }
  }
}

test('sends a piece from the control host again when the only node that had it has left', () => {
  const delivery = playDelivery(20)
  const only = delivery.join(range(5))
  const other = delivery.join()
  assert.not(fromControl(delivery.planned).some(({ piece }) => piece < 5))
  delivery.leave(only)
  delivery.finishAll()
  const sent = fromControl(delivery.planned).map(({ piece }) => piece)
  for (const piece of range(5)) assert.ok(sent.includes(piece), `piece ${piece}`)
  assert.ok(delivery.planner.isComplete(other))
})

test('fetches nothing from a node that has left, nor for it', () => {
  const delivery = playDelivery(50)
  for (let node = 0; node < 4; node++) delivery.join()
  delivery.finishAll(STEP_MS, 60)
  delivery.leave(2)
  const before = delivery.planned.length
  delivery.finishAll()
  const after = delivery.planned.slice(before)
  assert.ok(after.length > 0)
  assert.not(after.some(({ to, from }) => to === 2 || from === 2))
})

test('asks another source for what takes much longer than usual, and lets the first one to come count', () => {
  const delivery = playDelivery(100)
  for (let node = 0; node < 6; node++) delivery.join()
  play(delivery, { steps: 60 })
  const stuck = delivery.underWay.find(({ from }) => from !== CONTROL)!
  play(delivery, { steps: 60, hangs: (fetch) => fetch === stuck })
  const isSame = ({ to, piece }: Fetch) => to === stuck.to && piece === stuck.piece
  const again = [...delivery.secondTries].filter(isSame)
  assert.is(again.length, 1)
  assert.is.not(again[0]!.from, stuck.from)
  assert.not(delivery.underWay.some(isSame))
  play(delivery, { steps: 400 })
  for (let node = 0; node < 6; node++) assert.ok(delivery.planner.isComplete(node))
})

test('lets no node wait for one that died unnoticed, and tries little twice', () => {
  const delivery = playDelivery(200)
  for (let node = 0; node < 6; node++) delivery.join()
  play(delivery, { steps: 100 })
  play(delivery, { steps: 600, hangs: ({ to, from }) => to === 0 || from === 0 })
  for (let node = 1; node < 6; node++) {
    assert.ok(delivery.planner.isComplete(node), `node ${node} lacks ${delivery.planner.missing(node)}`)
  }
  assert.ok(delivery.secondTries.size <= 16 + delivery.planned.length / 50)
})

test('tries little twice although every second fetch hangs', () => {
  const delivery = playDelivery(200)
  for (let node = 0; node < 8; node++) delivery.join()
  play(delivery, { steps: 100 })
  play(delivery, { steps: 500, hangs: ({ piece }) => piece % 2 === 0 })
  assert.ok(delivery.secondTries.size > 0)
  assert.ok(delivery.secondTries.size <= 16 + delivery.planned.length / 50)
})

test('lets nobody rely on a slow node: what only it has comes from the control host, and hardly anything from it', () => {
  const delivery = playDelivery(300)
  for (let node = 0; node < 8; node++) delivery.join()
  play(delivery, { steps: 150, slow: 0 })
  const before = delivery.planned.length
  play(delivery, { steps: 1_000, slow: 0 })
  const after = delivery.planned.slice(before)
  assert.ok(after.length > 500)
  assert.is(after.filter(({ from }) => from === 0).length, 0)
  assert.is(fromControl(after).filter(({ to }) => to === 0).length, 0)
  for (let node = 1; node < 8; node++) assert.ok(delivery.planner.isComplete(node))
})

test('gives a slow node few pieces at once', () => {
  const delivery = playDelivery(300)
  for (let node = 0; node < 8; node++) delivery.join()
  play(delivery, { steps: 200, slow: 0 })
  for (let step = 0; step < 100; step++) {
    play(delivery, { steps: 1, slow: 0 })
    assert.ok(delivery.underWay.filter(({ to }) => to === 0).length <= 4)
  }
})

test('avoids a source that nothing comes from, and comes back to it when that is over', () => {
  const delivery = playDelivery(200)
  for (let node = 0; node < 5; node++) delivery.join(node === 0 ? range(100) : [])
  let failures = 0
  for (let step = 0; step < 60; step++) {
    delivery.pass(1)
    const [fetch] = delivery.underWay
    if (fetch?.from === 0) {
      delivery.fail(fetch)
      failures++
    } else if (fetch) delivery.finish(fetch)
  }
  assert.ok(failures > 0 && failures <= 12, `${failures} fetches failed`)
  const before = delivery.planned.length
  delivery.pass(60_000)
  delivery.finishAll(1)
  assert.ok(delivery.planned.slice(before).some(({ from }) => from === 0))
})

test('feeds a node that reaches no other from the control host, and trusts the others as before', () => {
  const delivery = playDelivery(100)
  for (let node = 0; node < 5; node++) delivery.join()
  const isBlocked = ({ to, from }: Fetch) => to === 4 && from !== CONTROL
  for (let step = 0; step < 3_000 && !range(5).every((node) => delivery.planner.isComplete(node)); step++) {
    delivery.pass(5)
    for (const fetch of delivery.underWay.filter(isBlocked)) delivery.fail(fetch)
    const fetch = delivery.underWay.find((each) => !isBlocked(each))
    if (fetch) delivery.finish(fetch)
  }
  for (const node of range(5)) assert.ok(delivery.planner.isComplete(node), `node ${node}`)
  const others = fromControl(delivery.planned).filter(({ to }) => to !== 4)
  assert.ok(others.length <= 120, `${others.length} pieces from the control host to the others`)
})

test('brings everything from the control host where no node reaches another', () => {
  const delivery = playDelivery(50)
  for (let node = 0; node < 3; node++) delivery.join()
  for (let step = 0; step < 3_000 && !range(3).every((node) => delivery.planner.isComplete(node)); step++) {
    delivery.pass(5)
    for (const fetch of delivery.underWay.filter(({ from }) => from !== CONTROL)) delivery.fail(fetch)
    const [fetch] = fromControl(delivery.underWay)
    if (fetch) delivery.finish(fetch)
  }
  for (const node of range(3)) assert.ok(delivery.planner.isComplete(node), `node ${node}`)
})

test('sends hardly anything twice after everything hung for a while', () => {
  const delivery = playDelivery(200)
  for (let node = 0; node < 6; node++) delivery.join()
  play(delivery, { steps: 100 })
  for (let step = 0; step < 50; step++) delivery.pass(100)
  play(delivery, { steps: 600 })
  for (let node = 0; node < 6; node++) assert.ok(delivery.planner.isComplete(node))
  const sent = fromControl(delivery.planned).length
  assert.ok(sent <= 240, `${sent} pieces from the control host`)
})

test.run()
