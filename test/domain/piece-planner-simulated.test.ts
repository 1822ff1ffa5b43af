import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { simulate } from '../../bench/delivery-sim/simulate.ts'
import type { SimulatedNode } from '../../bench/delivery-sim/world.ts'

const PIECES = 256
const RATE = 6_250
const PIECE_BYTES = 2 ** 18
const SIZE = PIECES * PIECE_BYTES
const IDEAL = SIZE / RATE

/** When each node had everything, over the time of one copy, and what left the control host, over the size. */
function deliver(nodes: readonly SimulatedNode[], controlRate = RATE, roundTripMs = 2) {
  const { tookMs, controlBytes } = simulate({
    nodes,
    pieces: PIECES,
    pieceBytes: PIECE_BYTES,
    controlRate,
    roundTripMs,
    noticeMs: 5_000,
    seed: 1,
  })
  return { overIdeal: tookMs.map((took) => took / IDEAL), sent: controlBytes / SIZE }
}

const makeNodes = (count: number, first: Partial<SimulatedNode> = {}) =>
  Array.from({ length: count }, (_, index) => ({ rate: RATE, ...(index === 0 ? first : {}) }))

for (const count of [1, 2, 4, 8]) {
  test(`takes about the time of one copy for ${count} alike, and sends about one`, () => {
    const { overIdeal, sent } = deliver(makeNodes(count))
    assert.ok(Math.max(...overIdeal) <= 1.06, `${Math.max(...overIdeal)}`)
    assert.ok(sent <= 1.05, `${sent}`)
  })
}

for (const [name, first] of [
  ['one is ten times as slow', { rate: RATE / 10 }],
  ['one dies half way', { diesAt: IDEAL / 2 }],
] as const) {
  test(`lets the others wait for nobody when ${name}`, () => {
    for (const count of [2, 4, 8]) {
      const { overIdeal, sent } = deliver(makeNodes(count, first))
      assert.ok(Math.max(...overIdeal.slice(1)) <= 1.08, `${count}: ${Math.max(...overIdeal.slice(1))}`)
      assert.ok(sent <= 1.06, `${count}: ${sent}`)
    }
  })
}

test('takes no longer for large pieces than they must wait for each other', () => {
  const pieces = 100
  const nodes = makeNodes(10)
  const { tookMs } = simulate({
    nodes,
    pieces,
    pieceBytes: SIZE / pieces,
    controlRate: RATE,
    roundTripMs: 2,
    noticeMs: 5_000,
    seed: 1,
  })
  assert.ok(Math.max(...tookMs) <= 1.4 * IDEAL, `${Math.max(...tookMs) / IDEAL}`)
})

test('keeps links busy although orders and reports take a tenth of a second', () => {
  const { overIdeal, sent } = deliver(makeNodes(8), RATE, 100)
  assert.ok(Math.max(...overIdeal) <= 1.1, `${Math.max(...overIdeal)}`)
  assert.ok(sent <= 1.05, `${sent}`)
})

test('brings all to one that comes half way as soon as its own link can', () => {
  for (const count of [1, 3, 7]) {
    const { overIdeal, sent } = deliver([...makeNodes(count), { rate: RATE, joinsAt: IDEAL / 2 }])
    assert.ok(Math.max(...overIdeal) <= 1.08, `${count}: ${overIdeal}`)
    assert.ok(sent <= 1.06, `${count}: ${sent}`)
  }
})

test('takes a slow node as long as its own link does', () => {
  const [slow] = deliver(makeNodes(4, { rate: RATE / 10 })).overIdeal
  assert.ok(slow! <= 10.3, `${slow}`)
})

test('relies on a node that got everything slowly from a slow control host, and passes it on fast', () => {
  const { overIdeal, sent } = deliver([{ rate: RATE }, { rate: RATE, joinsAt: IDEAL * 11 }], RATE / 10)
  assert.ok(overIdeal[1]! <= 1.1, `${overIdeal}`)
  assert.ok(sent <= 1.1, `${sent}`)
})

test('sends a node that has half only the rest', () => {
  const have = Array.from({ length: PIECES / 2 }, (_, piece) => piece)
  const { overIdeal, sent } = deliver([{ rate: RATE, have }])
  assert.ok(sent <= 0.5 && overIdeal[0]! <= 0.51, `${sent} ${overIdeal}`)
})

test('brings everything to hundreds of nodes in little more than the time of one copy', () => {
  const nodes = Array.from({ length: 300 }, (_, index) => ({
    rate: index % 50 === 0 ? RATE / 10 : RATE,
    ...(index % 100 === 7 ? { diesAt: (index / 300) * IDEAL } : {}),
  }))
  const { overIdeal, sent } = deliver(nodes)
  const healthy = overIdeal.filter((_, index) => index % 50 !== 0 && index % 100 !== 7)
  assert.ok(Math.max(...healthy) <= 1.25, `${Math.max(...healthy)}`)
  assert.ok(sent <= 1.05, `${sent}`)
})

test.run()
