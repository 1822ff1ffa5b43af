import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Content, MadeService } from '../../lib/domain/made-service.ts'
import type { Plan } from '../../lib/domain/plan.ts'
import { planApply, planReversal } from '../../lib/domain/plan-apply.ts'
import type { ServiceKind } from '../../lib/domain/service.ts'

const FLEET = [make('gateway'), make('index_10'), make('index_2'), make('extraction')]

test('plans nothing for services whose content is equal, whatever the order of keys and nodes', () => {
  const other = make('index_2', { content: { b: 2, a: 1 }, nodes: ['n2', 'n1'] })
  const one = make('index_2', { content: { a: 1, b: 2 } })
  assert.equal(planApply([one], [other]).plan.steps, [])
})

test('plans one service after the other: extraction, index services by number, gateway', () => {
  const wanted = FLEET.map(({ spec }) => make(spec.name, { content: { replicas: 2 } }))
  const { plan, differences } = planApply(FLEET, wanted)
  assert.equal(listSteps(plan), ['1 extraction', '2 index_2', '3 index_10', '4 gateway'])
  assert.is(differences.length, 4)
})

test('every step says why, with the first difference in words', () => {
  const wanted = [make('gateway', { content: { image: 'longshore:2', replicas: 3 } })]
  const [step] = planApply([make('gateway')], wanted).plan.steps
  assert.is(step?.cause, 'image longshore:1 -> longshore:2, and 1 more')
  assert.equal([step?.action, step?.spec, step?.content], ['change', wanted[0]!.spec, wanted[0]!.content])
})

test('another set of nodes is a difference, although no engine lists nodes in the content', () => {
  const { differences } = planApply([make('gateway')], [make('gateway', { nodes: ['n1', 'n2', 'n3'] })])
  assert.equal(differences, [{ service: 'gateway', path: 'nodes', from: undefined, to: 'n3' }])
})

test('a service that is missing is added, and one that is not asked for is left alone', () => {
  const { plan, added, strangers } = planApply(
    [make('index_0'), make('gateway')],
    [make('index_1'), make('gateway')],
  )
  assert.equal([added, strangers, listSteps(plan)], [['index_1'], ['index_0'], ['1 index_1']])
})

test('never plans to stop or remove, whatever is asked for', () => {
  for (const wanted of [[], [make('index_2')], FLEET]) {
    assert.ok(planApply(FLEET, wanted).plan.steps.every(({ action }) => action === 'change'))
  }
})

test('the way back takes services in reverse, those alone that were changed', () => {
  const changed = ['extraction', 'index_2', 'gateway']
  const running = FLEET.map((service) =>
    service.spec.name === 'gateway' ? service : make(service.spec.name, { content: { replicas: 9 } }),
  )
  const plan = planReversal(FLEET, running, changed)
  assert.equal(listSteps(plan), ['1 index_2', '2 extraction'])
  assert.equal(plan.steps[0]?.content, make('index_2').content)
  assert.is(plan.steps[0]?.cause, 'as before: replicas 9 -> 1')
})

test('the way back stops what was not there before, and nothing else', () => {
  const plan = planReversal([make('gateway')], FLEET, ['index_2', 'gateway'])
  assert.equal(
    plan.steps.map(({ action, target }) => `${action} ${target}`),
    ['stop index_2'],
  )
  assert.equal(planReversal(FLEET, FLEET, ['gateway']).steps, [])
})

function listSteps({ steps }: Plan): string[] {
  return steps.map(({ batch, target }) => `${batch} ${target}`)
}

type Parts = { readonly content?: Content; readonly nodes?: readonly string[] }

function make(name: string, { content = {}, nodes = ['n1', 'n2'] }: Parts = {}): MadeService {
  const kind = name.replace(/_\d+$/, '') as ServiceKind
  return {
    spec: { name, kind, replicas: 1, nodes, generations: [], settings: {} },
    content: { image: 'longshore:1', replicas: 1, ...content },
  }
}

test.run()
