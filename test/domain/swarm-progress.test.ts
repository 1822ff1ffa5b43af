import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { MadeService } from '../../lib/domain/made-service.ts'
import type { ServiceSpec } from '../../lib/domain/service.ts'
import { parseNodes, parseServices, parseTasks, type SwarmTask } from '../../lib/domain/swarm-inspect.ts'
import { isLeaving, judge, type SwarmView } from '../../lib/domain/swarm-progress.ts'
import { renderService } from '../../lib/domain/swarm-stack.ts'
import { makeSettings } from '../adapters/swarm/swarm-engine.ts'
import { ROOT } from '../support/shared.ts'

const NOBODY: ReadonlySet<string> = new Set()
const FIRST: ServiceSpec = {
  name: 'index_0',
  kind: 'index',
  cluster: 0,
  replicas: 2,
  nodes: ['n1', 'n2'],
  generations: [{ name: 'dg_1', digest: 'sha256:1' }],
  settings: {},
}
const GOOD: ServiceSpec = { ...FIRST, settings: { A: '1' } }
const BAD: ServiceSpec = { ...FIRST, settings: { STUB_CRASH: 'upside down' } }
const UNPLACED: ServiceSpec = { ...FIRST, generations: [{ name: 'dg_9', digest: 'sha256:9' }] }

test('a service whose tasks all run is settled', () => {
  assert.equal(judge(read('running'), { wanted: made(FIRST), known: NOBODY }), { state: 'settled' })
})

test('a service that is being updated is waited for, until the Swarm has seen its new tasks live', () => {
  const verdict = judge(read('updating'), { wanted: made(GOOD), known: NOBODY })
  assert.is(verdict.state, 'waiting')
  assert.match(JSON.stringify(verdict), /update in progress/)
})

test('a former task that still runs is waited for', () => {
  const verdict = judge(read('completed'), { wanted: made(GOOD), known: NOBODY })
  assert.equal(verdict, { state: 'ending', why: '1 former tasks of index_0 are ending' })
})

test('a former task is not waited for on a node that is down', () => {
  const view = read('completed')
  const lost = view.tasks.find((task) => isLeaving(task, view.nodes))!
  const nodes = view.nodes.map((node) => (node.id === lost.nodeId ? { ...node, isDown: true } : node))
  assert.equal(judge({ ...view, nodes }, { wanted: made(GOOD), known: NOBODY }), { state: 'settled' })
})

for (const name of ['rollback_started', 'rollback_completed']) {
  test(`an update that the Swarm took back by itself has failed, by the task that ended (${name})`, () => {
    const verdict = judge(read(name), { wanted: made(BAD), known: NOBODY })
    assert.is(verdict.state, 'failed')
    assert.match((verdict as { why: string }).why, /went back by itself: .*roll/)
    assert.match((verdict as { task: SwarmTask }).task.problem ?? '', /non-zero exit \(1\)/)
  })
}

test('a service that somebody changed, took back by hand or removed speaks against no generation', () => {
  const taken = read('rollback_completed')
  const byHand = {
    ...taken.service!,
    update: { state: 'rollback_completed', message: 'manually requested rollback' },
  }
  const views: SwarmView[] = [
    { ...taken, service: byHand as typeof taken.service },
    read('running'),
    { ...read('running'), service: undefined },
  ]
  for (const view of views) {
    const verdict = judge(view, { wanted: made(BAD), known: NOBODY })
    assert.is(verdict.state, 'failed')
    assert.match((verdict as { why: string }).why, /by somebody else/)
    assert.is((verdict as { blame?: string }).blame, 'fleet')
  }
})

test('a rollback under way is waited for by whoever wants the former spec', () => {
  assert.is(judge(read('rollback_started'), { wanted: made(GOOD), known: NOBODY }).state, 'ending')
})

test('a finished rollback is settled for whoever wants the former spec', () => {
  assert.equal(judge(read('rollback_completed'), { wanted: made(GOOD), known: NOBODY }), { state: 'settled' })
})

for (const state of ['paused', 'rollback_paused'] as const) {
  test(`an update that is paused has failed: nothing more comes of it (${state})`, () => {
    const view = read('paused')
    const service = { ...view.service!, update: { ...view.service!.update!, state } }
    const verdict = judge({ ...view, service }, { wanted: made(BAD), known: NOBODY })
    assert.is(verdict.state, 'failed')
    assert.match((verdict as { why: string }).why, /the Swarm paused: update paused/)
  })
}

test('a task that cannot be placed is told in the words of the scheduler', () => {
  const verdict = judge(read('unplaced'), { wanted: made(UNPLACED), known: NOBODY })
  assert.is(verdict.state, 'waiting')
  assert.match((verdict as { why: string }).why, /no suitable node/)
})

test('a service that somebody else changed or removed has failed', () => {
  const view = read('running')
  assert.match(JSON.stringify(judge(view, { wanted: made(GOOD), known: NOBODY })), /changed by somebody else/)
  assert.match(
    JSON.stringify(judge({ ...view, service: undefined }, { wanted: made(FIRST), known: NOBODY })),
    /removed by somebody else/,
  )
})

test('a task that ends during the wait has failed it, one that was there before has not', () => {
  const view = read('running')
  const [first, second] = view.tasks as [SwarmTask, SwarmTask]
  const broken = { ...view, tasks: [{ ...first, state: 'failed', desired: 'shutdown' }, second] }
  assert.is(judge(broken, { wanted: made(FIRST), known: NOBODY }).state, 'failed')
  assert.is(judge(broken, { wanted: made(FIRST), known: new Set([first.id]) }).state, 'waiting')
})

test('a task with a GPU that the Swarm takes for misplaced is waited for, since another one comes by itself', () => {
  const view = read('running')
  const problem = 'assigned node no longer meets constraints'
  const ended: SwarmTask = { ...view.tasks[0]!, state: 'rejected', problem }
  const tasks = [...view.tasks, { ...ended, id: 'another' }]
  assert.is(judge({ ...view, tasks }, { wanted: made(FIRST), known: NOBODY }).state, 'failed')
  const onGpu: ServiceSpec = { ...FIRST, isOnGpu: true }
  const service = { ...view.service!, spec: onGpu, made: null }
  const verdict = judge({ ...view, service, tasks }, { wanted: made(onGpu), known: NOBODY })
  assert.is(verdict.state, 'settled')
})

test('two tasks in one place, left by a node that was away, count as the one that shall be there', () => {
  const view = read('running')
  const [first] = view.tasks as [SwarmTask]
  const tasks = [...view.tasks, { ...first, id: 'left' }]
  assert.equal(judge({ ...view, tasks }, { wanted: made(FIRST), known: NOBODY }), { state: 'settled' })
  const inOnePlace = view.tasks.map((task) => ({ ...task, slot: first.slot }))
  assert.equal(judge({ ...view, tasks: inOnePlace }, { wanted: made(FIRST), known: NOBODY }), {
    state: 'waiting',
    why: '1 of 2 tasks of index_0 are ready',
  })
})

test('a task too many is waited for until it ends', () => {
  const view = read('running')
  const tasks = [...view.tasks, { ...view.tasks[0]!, id: 'surplus', slot: 3 }]
  assert.is(judge({ ...view, tasks }, { wanted: made(FIRST), known: NOBODY }).state, 'ending')
})

test('a task of another making does not count, although it runs', () => {
  const view = read('running')
  const service = { ...view.service!, mark: 'another' }
  assert.equal(judge({ ...view, service }, { wanted: made(FIRST), known: NOBODY }), {
    state: 'waiting',
    why: '0 of 2 tasks of index_0 are ready',
  })
})

/** The service of a spec as it was made when the moments were recorded. */
function made(spec: ServiceSpec): MadeService {
  const settings = makeSettings({ fleet: 'demo' })
  return { spec, content: renderService(spec, { settings, excluded: [], loadSeconds: 20 }) }
}

/** What a real engine printed at that moment. */
function read(name: string): SwarmView {
  const text = readFileSync(`${ROOT}test/adapters/swarm/recorded/${name}.json`, 'utf8')
  const { service, tasks, nodes } = JSON.parse(text) as Record<'service' | 'tasks' | 'nodes', unknown>
  return {
    service: parseServices(JSON.stringify(service))[0],
    tasks: parseTasks(JSON.stringify(tasks)),
    nodes: parseNodes(JSON.stringify(nodes)),
  }
}

test.run()
