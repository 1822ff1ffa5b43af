import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chooseClear, type MoveFacts, planFinish, planMove, planReturn } from '../../lib/domain/plan-move.ts'
import { type MoveRecord, routeBetween } from '../../lib/domain/service-move.ts'

const move = {
  ...{ name: 'cats', service: 'cats', percents: [1, 50, 100] },
  source: { url: 'http://dev:8080', service: 'one' },
  target: { url: 'http://prod:8080', service: 'two' },
}
const service = (name: string) => ({ name, description: '', mllib: 'torch', type: 'supervised' })
const record: MoveRecord = {
  ...{ digest: 'd', phase: 'forward', passed: [], isOwn: true, copied: null, reason: null },
  ...{ startedAt: 't', owner: 'o' },
}
const FACTS: MoveFacts = {
  ...{ record: undefined, source: service('one'), target: undefined, route: undefined },
  repository: {
    ...{ state: 'absent', digest: 'f', directory: '/prod/cats', node: undefined },
    files: [{ path: 'net.pt', bytes: 10, sha256: '0' }],
  },
  order: {
    order: {
      ...{ mllib: 'torch', description: '', type: 'supervised', model: { repository: '/prod/cats' } },
      parameters: { input: {}, mllib: {}, output: {} },
    },
    notes: ['mllib.template is left out: it would overwrite the network'],
  },
  ...{ clear: 'full', sharers: [] },
}
const keysOf = (facts: Partial<MoveFacts>) =>
  planMove(move, { ...FACTS, ...facts }).steps.map(({ key }) => key)
const withState = (state: MoveFacts['repository']['state']) => ({
  repository: { ...FACTS.repository, state },
})
const TRIAL = ['warm', 'compare', 'redirect 1', 'redirect 50', 'redirect 100']

test('a move goes from the files to all requests, each step after the one before it, and says why', () => {
  const { steps } = planMove(move, FACTS)
  assert.equal(keysOf({}), ['route', 'copy', 'create', ...TRIAL])
  assert.equal(
    steps.map(({ batch }) => batch),
    [1, 2, 3, 4, 5, 6, 7, 8],
  )
  assert.ok(steps.every(({ cause }) => cause.length > 10))
  assert.match(steps.find(({ key }) => key === 'create')!.cause, 'mllib.template is left out')
  assert.is(steps.find(({ key }) => key === 'copy')!.bytes, 10)
})

test('what is done is not done again', () => {
  const route = routeBetween(move, 0)
  const passed = ['route', 'copy', 'create', 'warm', 'compare', 'redirect 1']
  const facts = { route, target: service('two'), record: { ...record, passed }, ...withState('whole') }
  assert.equal(keysOf(facts), ['redirect 50', 'redirect 100'])
  assert.equal(keysOf({ ...facts, record: { ...record, passed: [...passed, ...TRIAL] } }), [])
})

test('a target that has lost the service shows all it can again', () => {
  const passed = ['route', 'copy', 'create', 'warm', 'compare', 'redirect 1', 'redirect 50']
  const facts = { route: routeBetween(move, 50), record: { ...record, passed } }
  assert.equal(keysOf(facts), ['create', ...TRIAL])
})

test('two services over the very same directory copy nothing', () => {
  assert.equal(keysOf(withState('here')), ['route', 'create', ...TRIAL])
})

test('files of somebody else at the target are never overwritten, those of an earlier attempt are', () => {
  assert.throws(() => planMove(move, { ...FACTS, ...withState('other') }), /holds other files/)
  const returned = { ...record, phase: 'returned' as const, copied: 'e' }
  assert.ok(keysOf({ record: returned, ...withState('other') }).includes('copy'))
  assert.not(keysOf({ record: { ...returned, copied: 'f' }, ...withState('other') }).includes('copy'))
})

test('a service of somebody else at the target is refused', () => {
  assert.throws(() => planMove(move, { ...FACTS, target: service('two') }), /not of the move cats/)
  const returned = { ...record, phase: 'returned' as const, isOwn: false }
  assert.throws(
    () => planMove(move, { ...FACTS, target: service('two'), record: returned }),
    /not of the move/,
  )
})

test('files that others use are not cleared', () => {
  for (const clear of ['full', 'dir', 'lib'] as const) {
    assert.is(chooseClear(clear, ['three']), 'mem')
    assert.is(chooseClear(clear, []), clear)
  }
  const [, remove] = planFinish(move, { ...FACTS, sharers: ['three'] }).steps
  assert.match(remove!.cause, 'its repository stays, where clear: full would take it from three')
})

test('the former service is deleted only once no request goes there', () => {
  assert.equal(
    planFinish(move, FACTS).steps.map(({ key }) => key),
    ['detach', 'delete'],
  )
  assert.equal(
    planFinish(move, { ...FACTS, source: undefined }).steps.map(({ key }) => key),
    ['detach'],
  )
})

test('a return gives the requests back before the target is dropped', () => {
  assert.equal(
    planReturn(move, 'why').steps.map(({ key }) => key),
    ['redirect 0', 'drop'],
  )
  assert.equal(routeBetween(move, 0).backends.length, 1)
  assert.equal(
    routeBetween(move, 10).backends.map(({ weight }) => weight),
    [90, 10],
  )
})

test.run()
