import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CONTROL, type Fetch } from '../../lib/domain/piece-planner-types.ts'
import { type PlayedDelivery, playDelivery } from '../support/played-delivery.ts'

const STEP_MS = 30
const range = (count: number) => Array.from({ length: count }, (_, index) => index)
const fromControl = (fetches: readonly Fetch[]) => fetches.filter(({ from }) => from === CONTROL)

type Course = {
  readonly steps: number
  readonly slow?: number
  readonly hangs?: (fetch: Fetch) => boolean
  /** Nodes with which it is over as soon as they have everything. */
  readonly until?: readonly number[]
}

/** Ends fetches after two steps each, or twenty into and out of the slow node, but for what hangs; how many steps it took. */
function play(
  delivery: PlayedDelivery,
  { steps, slow = -2, hangs = () => false, until = [] }: Course,
): number {
  const begun = new Map<Fetch, number>()
  for (let step = 0; step < steps; step++) {
    if (until.length > 0 && until.every((node) => delivery.planner.isComplete(node))) return step
    delivery.pass(STEP_MS)
    for (const fetch of delivery.underWay) if (!begun.has(fetch)) begun.set(fetch, step)
    const isOver = (fetch: Fetch) =>
      step - begun.get(fetch)! >= (fetch.to === slow || fetch.from === slow ? 20 : 2) && !hangs(fetch)
    for (const fetch of delivery.underWay.filter(isOver)) {
      if (delivery.underWay.includes(fetch)) delivery.finish(fetch)
    }
  }
  return steps
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
  assert.ok(delivery.secondTries.size <= 17 + delivery.planned.length / 50)
})

test('tries little twice although every third fetch hangs', () => {
  const delivery = playDelivery(200)
  for (let node = 0; node < 8; node++) delivery.join()
  play(delivery, { steps: 60 })
  const isFirst = (fetch: Fetch) => !delivery.secondTries.has(fetch)
  play(delivery, { steps: 600, hangs: (fetch) => (fetch.piece + fetch.to) % 3 === 0 && isFirst(fetch) })
  assert.ok(delivery.secondTries.size >= 16)
  assert.ok(delivery.secondTries.size <= 17 + delivery.planned.length / 50)
})

test('lets nobody wait for what only a silent node has', () => {
  const isAtSilent = ({ to, from }: Fetch) => to === 0 || from === 0
  const usual = playDelivery(100)
  const delivery = playDelivery(100)
  delivery.join(range(60))
  usual.join()
  for (let node = 1; node < 6; node++) {
    usual.join()
    delivery.join()
  }
  const until = [1, 2, 3, 4, 5]
  const usually = play(usual, { steps: 1_000, until })
  assert.ok(play(delivery, { steps: 1_000, until, hangs: isAtSilent }) < usually * 1.5)
  assert.ok(delivery.planned.filter(({ from }) => from === 0).length < 10)
})

test('lets nobody wait for what the control host sends to a silent node', () => {
  const delivery = playDelivery(30)
  for (let node = 0; node < 6; node++) delivery.join()
  const until = [1, 2, 3, 4, 5]
  // Before anything has come, nobody knows what takes long: 5 seconds do.
  const steps = play(delivery, { steps: 2_000, until, hangs: ({ to }) => to === 0 })
  assert.ok(steps < 5_000 / STEP_MS + 100, `${steps} steps`)
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
    const regular = delivery.underWay.filter((fetch) => !delivery.secondTries.has(fetch))
    assert.ok(regular.filter(({ to, from }) => to === 0 && from !== CONTROL).length <= 2)
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

test('takes all that fails with one connection for one failure', () => {
  const delivery = playDelivery(200)
  const full = delivery.join(range(200))
  delivery.join()
  const fromFull = () => delivery.underWay.filter(({ from }) => from === full)
  const lost = fromFull()
  assert.ok(lost.length >= 3)
  for (const fetch of lost) delivery.fail(fetch)
  assert.equal(fromFull(), [])
  delivery.pass(600)
  assert.ok(fromFull().length > 0)
})

test('feeds a node that reaches no other from the control host, and trusts the others as before', () => {
  const delivery = playDelivery(60)
  for (let node = 0; node < 5; node++) delivery.join()
  const failed = playBlocked(delivery, ({ to, from }) => to === 4 && from !== CONTROL)
  assert.ok(failed <= 12, `${failed} fetches failed`)
  for (const node of range(5)) assert.ok(delivery.planner.isComplete(node), `node ${node}`)
  const others = fromControl(delivery.planned).filter(({ to }) => to !== 4)
  assert.ok(others.length <= 72, `${others.length} pieces from the control host to the others`)
})

test('brings everything from the control host where no node reaches another', () => {
  const delivery = playDelivery(60)
  for (let node = 0; node < 3; node++) delivery.join()
  const failed = playBlocked(delivery, ({ from }) => from !== CONTROL)
  assert.ok(failed <= 20, `${failed} fetches failed`)
  for (const node of range(3)) assert.ok(delivery.planner.isComplete(node), `node ${node}`)
})

/** Fails what is blocked at once, and ends one other fetch each time; how many failed. */
function playBlocked(delivery: PlayedDelivery, isBlocked: (fetch: Fetch) => boolean): number {
  let failed = 0
  for (let step = 0; step < 400; step++) {
    delivery.pass(5)
    for (const fetch of delivery.underWay.filter(isBlocked)) {
      delivery.fail(fetch)
      failed++
    }
    const fetch = delivery.underWay.find((each) => !isBlocked(each))
    if (fetch) delivery.finish(fetch)
  }
  return failed
}

test('sends hardly anything twice after everything hung for a while', () => {
  const delivery = playDelivery(200)
  for (let node = 0; node < 6; node++) delivery.join()
  play(delivery, { steps: 100 })
  for (let step = 0; step < 50; step++) delivery.pass(100)
  play(delivery, { steps: 600 })
  for (let node = 0; node < 6; node++) assert.ok(delivery.planner.isComplete(node))
  const sent = fromControl(delivery.planned).length
  assert.ok(sent <= 230, `${sent} pieces from the control host`)
})

test('relies on a silent source again as soon as something comes from it', () => {
  const delivery = playDelivery(100)
  delivery.join(range(100))
  delivery.join()
  play(delivery, { steps: 20 })
  play(delivery, { steps: 12, hangs: ({ from }) => from === 0 })
  assert.ok(fromControl(delivery.underWay).length > 0)
  const before = delivery.planned.length
  delivery.finish(delivery.underWay.find(({ from }) => from === 0)!)
  assert.ok(delivery.planned.slice(before).some(({ from }) => from === 0))
})

test('relies on a silent sink again as soon as something comes into it', () => {
  const delivery = playDelivery(200)
  for (let node = 0; node < 4; node++) delivery.join()
  play(delivery, { steps: 40 })
  play(delivery, { steps: 20, hangs: ({ to, from }) => to === 0 || from === 0 })
  const silent = delivery.planned.length
  play(delivery, { steps: 15, hangs: ({ from }) => from === 0 })
  assert.ok(fromControl(delivery.planned.slice(silent)).some(({ to }) => to === 0))
})

test('calls nothing late within a quarter of a second, however fast links are', () => {
  const delivery = playDelivery(100)
  for (let node = 0; node < 4; node++) delivery.join()
  delivery.finishAll(1, 100)
  delivery.pass(200)
  assert.is(delivery.secondTries.size, 0)
  delivery.pass(200)
  assert.ok(delivery.secondTries.size > 0)
})

test('relies on a slow node again some time after it has become fast', () => {
  const delivery = playDelivery(1_500)
  for (let node = 0; node < 5; node++) delivery.join()
  play(delivery, { steps: 150, slow: 0 })
  play(delivery, { steps: 10_000 / STEP_MS + 20 })
  const before = delivery.planned.length
  play(delivery, { steps: 50 })
  const after = delivery.planned.slice(before)
  assert.ok(after.filter(({ from }) => from === 0).length > after.length / 20)
})

test.run()
