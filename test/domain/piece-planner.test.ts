import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createPiecePlanner } from '../../lib/domain/piece-planner.ts'
import { CONTROL } from '../../lib/domain/piece-planner-types.ts'
import { createRandom } from '../../lib/domain/random.ts'
import { type PlayedDelivery, playDelivery } from '../support/played-delivery.ts'

const range = (count: number) => Array.from({ length: count }, (_, index) => index)
const fromControl = ({ planned }: PlayedDelivery) => planned.filter(({ from }) => from === CONTROL)

test('sends each piece once from the control host, and hardly any again', () => {
  const delivery = playDelivery(200)
  for (let node = 0; node < 8; node++) delivery.join()
  delivery.finishAll()
  const sent = fromControl(delivery)
  assert.is(new Set(sent.map(({ piece }) => piece)).size, 200)
  assert.ok(sent.length <= 200 * 1.05, `${sent.length} pieces`)
  for (let node = 0; node < 8; node++) assert.ok(delivery.planner.isComplete(node))
})

test('plans only pieces for a node that it has a use for, also among many nodes that have none', () => {
  const planner = createPiecePlanner({ pieces: Array.from({ length: 100 }, () => 1000) })
  const owners = (piece: number) => [piece % 50, (piece + 1) % 50]
  for (let node = 0; node < 50; node++) {
    planner.join(
      [],
      0,
      range(100).filter((piece) => !owners(piece).includes(node)),
    )
  }
  const fetches = []
  for (let now = 0, due = planner.next(0); now < 100_000 && due.length > 0; due = planner.next(now)) {
    for (const fetch of due) {
      now += 5
      fetches.push(fetch)
      planner.received(fetch, now)
    }
  }
  assert.ok(fetches.every(({ to, piece }) => owners(piece).includes(to)))
  assert.ok(range(50).every((node) => planner.isComplete(node)))
  assert.is(fetches.length, 200)
  const fromHere = fetches.filter(({ from }) => from === CONTROL)
  assert.ok(fromHere.length <= 105, `${fromHere.length} pieces left`)
})

test('sends pieces that nobody has to nodes that have nothing to pass on', () => {
  const delivery = playDelivery(100)
  for (let node = 0; node < 20; node++) delivery.join()
  for (let step = 0; step < 12; step++) {
    delivery.pass(10)
    delivery.finish(delivery.underWay.find(({ from }) => from === CONTROL)!)
  }
  const sent = fromControl(delivery).slice(0, 12)
  assert.ok(new Set(sent.map(({ to }) => to)).size >= 10)
  assert.is(new Set(sent.map(({ piece }) => piece)).size, 12)
})

test('brings everything to every node that stays, whoever leaves, comes, fails or hangs meanwhile', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
      const random = createRandom(seed)
      const delivery = playDelivery(1 + Math.floor(random() * 60), seed)
      for (let node = 1 + Math.floor(random() * 9); node > 0; node--) delivery.join()
      const alive = playAtRandom(delivery, random)
      for (const node of alive) {
        assert.ok(delivery.planner.isComplete(node), `node ${node} lacks ${delivery.planner.missing(node)}`)
      }
    }),
    { numRuns: 100, seed: 7 },
  )
})

/** Random events for a while, then only what lets a delivery end; the nodes that stayed. */
function playAtRandom(delivery: PlayedDelivery, random: () => number): Set<number> {
  const { planner } = delivery
  const alive = new Set(range(9).filter((node) => isNode(delivery, node)))
  const choose = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!
  for (let step = 0; step < 4_000 && [...alive].some((node) => !planner.isComplete(node)); step++) {
    delivery.pass(1 + random() * 20)
    const fate = step < 1_000 ? random() : 0.5
    if (fate < 0.01 && alive.size > 1) {
      const lost = choose([...alive])
      alive.delete(lost)
      delivery.leave(lost)
    } else if (fate < 0.02) alive.add(delivery.join())
    else if (fate < 0.04 && delivery.underWay.length > 0) delivery.fail(choose(delivery.underWay))
    else if (delivery.underWay.length > 0) delivery.finish(choose(delivery.underWay))
  }
  return alive
}

function isNode({ planner }: PlayedDelivery, node: number): boolean {
  try {
    return planner.missing(node) >= 0
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}

test('plans alike for the same seed and events', () => {
  const play = (seed: number) => {
    const delivery = playDelivery(50, seed)
    for (let node = 0; node < 5; node++) delivery.join()
    delivery.finishAll()
    return delivery.planned.map(({ to, from, piece }) => `${from}-${piece}-${to}`).join()
  }
  assert.is(play(3), play(3))
  assert.is.not(play(3), play(4))
})

test('brings a node only what it lacks, and the others from it what it has', () => {
  const delivery = playDelivery(100)
  const resumed = delivery.join(range(60))
  delivery.join()
  delivery.join()
  delivery.finishAll()
  assert.is(delivery.planned.filter(({ to }) => to === resumed).length, 40)
  const again = fromControl(delivery).filter(({ piece }) => piece < 60)
  assert.ok(again.length <= 3, `${again.length} pieces that a node had`)
  assert.ok(delivery.planner.isComplete(1) && delivery.planner.isComplete(2))
})

test('brings everything to a node that comes late, from those that have it', () => {
  const delivery = playDelivery(100)
  for (let node = 0; node < 3; node++) delivery.join()
  delivery.finishAll()
  const before = fromControl(delivery).length
  delivery.pass(60_000)
  assert.is(delivery.planner.wakeAt(), Number.POSITIVE_INFINITY)
  const late = delivery.join()
  assert.ok(delivery.planner.wakeAt() < Number.POSITIVE_INFINITY)
  delivery.finishAll()
  assert.ok(delivery.planner.isComplete(late))
  assert.ok(fromControl(delivery).length - before <= 3)
})

test('has nothing to do for nodes that have everything, or where there is nothing to bring', () => {
  const delivery = playDelivery(10)
  assert.ok(delivery.planner.isComplete(delivery.join(range(10))))
  assert.equal(delivery.planned, [])
  const empty = playDelivery(0)
  assert.ok(empty.planner.isComplete(empty.join()))
  assert.equal(empty.planned, [])
})

test('counts a piece once that came twice, or that came from a node that has left', () => {
  const delivery = playDelivery(10)
  delivery.join()
  delivery.join()
  const [first] = delivery.underWay
  delivery.pass(5)
  delivery.finish(first!)
  const missing = delivery.planner.missing(first!.to)
  delivery.planner.received(first!, delivery.now())
  delivery.planner.failed(first!, delivery.now())
  assert.is(delivery.planner.missing(first!.to), missing)
  delivery.finishAll()
  assert.ok(delivery.planner.isComplete(0) && delivery.planner.isComplete(1))
  assert.is(delivery.secondTries.size, 0)
})

test('tells the rate at which pieces come into a node', () => {
  const delivery = playDelivery(10)
  const node = delivery.join()
  assert.is(delivery.planner.rate(node), undefined)
  delivery.pass(10)
  delivery.finish(delivery.underWay[0]!)
  assert.ok(delivery.planner.rate(node)! >= 100)
})

test('tells no rate by pieces that are too small for it', () => {
  const planner = createPiecePlanner({ pieces: [10, 1_000] })
  const node = planner.join([], 0)
  const [small, large] = planner.next(0).toSorted((one, other) => one.piece - other.piece)
  planner.received(small!, 10)
  assert.is(planner.rate(node), undefined)
  planner.received(large!, 20)
  assert.is.not(planner.rate(node), undefined)
})

test.run()
