import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDemand, findErrand } from '../../services/index/demand.ts'

/** A demand with a rest after 100 ms, and a clock that is set by hand. */
function makeDemand() {
  const clock = { now: 0 }
  const demand = createDemand(100, () => clock.now)
  const ask = (generation: string) => {
    demand.begin(generation)
    demand.end(generation)
  }
  return { ...demand, clock, ask }
}

test('keeps what was asked last, however long ago', () => {
  const { ask, clock, list } = makeDemand()
  ask('dg_1')
  clock.now = 1e9
  assert.equal(list(), ['dg_1'])
})

test('keeps two generations while both are asked in turn, and then the one that still is', () => {
  const { ask, clock, list } = makeDemand()
  for (; clock.now < 1000; clock.now += 40) ask(clock.now % 80 === 0 ? 'dg_1' : 'dg_2')
  assert.equal(list(), ['dg_1', 'dg_2'])
  for (const generation of ['dg_1', 'dg_2']) ask(generation)
  clock.now += 99
  assert.equal(list(), ['dg_1', 'dg_2'])
  clock.now += 1
  assert.equal(list(), ['dg_2'])
  ask('dg_1')
  assert.equal(list(), ['dg_1'], 'the other one was asked long ago')
})

test('keeps what an answer is waited for, however long it takes', () => {
  const { begin, end, ask, clock, has } = makeDemand()
  begin('dg_1')
  begin('dg_1')
  ask('dg_2')
  clock.now = 1e6
  end('dg_1')
  assert.ok(has('dg_1'))
  clock.now = 2e6
  end('dg_1')
  assert.ok(has('dg_1'), 'it has only just been answered')
  clock.now += 100
  assert.not(has('dg_1'))
})

test('has what is missing prepared before anything rests, and nothing done where all is as asked', () => {
  const demand = makeDemand()
  for (const generation of ['dg_1', 'dg_2']) demand.ask(generation)
  demand.clock.now = 100
  demand.ask('dg_3')
  const errand = (...prepared: string[]) => findErrand(new Set(prepared), demand)
  assert.equal(errand('dg_1', 'dg_2'), { name: 'prepare', generation: 'dg_3' })
  assert.equal(errand('dg_1', 'dg_3'), { name: 'rest', generation: 'dg_1' })
  assert.is(errand('dg_3'), undefined)
})

test.run()
