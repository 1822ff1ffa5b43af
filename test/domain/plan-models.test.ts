import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Fleet, findServed, findServiceProblem } from '../../lib/domain/fleet.ts'
import type { Shape } from '../../lib/domain/placement.ts'
import type { Step } from '../../lib/domain/plan.ts'
import { planReturn } from '../../lib/domain/plan-rollback.ts'
import { type Blueprint, extractionSpecs } from '../../lib/domain/plan-services.ts'
import { planUpdate, type Wish } from '../../lib/domain/plan-update.ts'
import { EMPTY_RECORD, type Run } from '../../lib/domain/record.ts'
import { withRelease } from '../../lib/domain/record-rules.ts'
import { extractionServiceName } from '../../lib/domain/service.ts'
import { applyStepToModel, applyToModel, refTo, shapeWith } from '../support/model-fleet.ts'
import { makeNode } from '../support/nodes.ts'

const NODES = ['node-1', 'node-2']
const MODELS = ['model A', 'model B', 'model C']
/** Model C is that of somebody else's server. */
const blueprint: Blueprint = {
  strategy: 'side-by-side',
  gateway: { replicas: 1, port: 14005, settings: {} },
  index: { replicas: 1, settings: {} },
  extractions: MODELS.map((fingerprint, index) => ({
    fingerprint,
    template: index < 2 ? { replicas: 1, settings: { MODEL: fingerprint } } : null,
  })),
}
const EMPTY: Fleet = { nodes: NODES.map((name) => makeNode(name)), services: [] }
const [A, B] = [serviceOf('model A'), serviceOf('model B')]

function serviceOf(fingerprint: string): string {
  return extractionServiceName({ fingerprint })
}

function shapeUnder(number: number, model: string | undefined): Shape {
  return { ...shapeWith(number, [0, 1]), ...(model !== undefined && { model }) }
}

function wishFor(target: Shape, companion: Shape | null, released: Shape | null = companion): Wish {
  const settings = { blueprint, proven: false, kept: [], keep: 1 }
  return { target, companion, released: released?.generation ?? null, ...settings }
}

/** The fleet after generations of these models came into service one after the other, each beside the former one. */
function serveInTurn(shapes: readonly Shape[]): Fleet {
  return shapes.reduce(
    (fleet, shape, at) => applyToModel(fleet, planUpdate(fleet, wishFor(shape, shapes[at - 1] ?? null))),
    EMPTY,
  )
}

function extractionsOf(fleet: Fleet): string[] {
  return fleet.services
    .filter(({ spec }) => spec.kind === 'extraction')
    .map(({ spec }) => spec.name)
    .sort()
}

const tell = (steps: readonly Step[]) => steps.map(({ action, target }) => `${action} ${target}`)

test('starts the extraction of another model before its generation is loaded, and keeps that of the former one', () => {
  const fleet = serveInTurn([shapeUnder(1, 'model A')])
  assert.equal(extractionsOf(fleet), [A])
  const { steps } = planUpdate(fleet, wishFor(shapeUnder(2, 'model B'), shapeUnder(1, 'model A')))
  const told = tell(steps)
  assert.ok(told.includes(`start ${B}`), told.join(', '))
  assert.ok(told.indexOf(`start ${B}`) < told.indexOf('load index_0'))
  assert.ok(told.indexOf('load index_1') < told.indexOf('switch gateway'))
  assert.not(told.some((step) => step.startsWith('stop ')))
  assert.equal(extractionsOf(steps.reduce(applyStepToModel, fleet)), [A, B].sort())
})

test('stops the extraction of a model after the commit of the update that leaves no generation of it loaded', () => {
  const fleet = serveInTurn([shapeUnder(1, 'model A'), shapeUnder(2, 'model B')])
  const { steps } = planUpdate(fleet, wishFor(shapeUnder(3, 'model B'), shapeUnder(2, 'model B')))
  const told = tell(steps)
  assert.not(told.some((step) => step.startsWith('start ')))
  assert.ok(told.indexOf(`stop ${A}`) > told.indexOf('commit dg_3'), told.join(', '))
  assert.equal(extractionsOf(steps.reduce(applyStepToModel, fleet)), [B])
})

test('goes back to the former model by a switch alone: all that embeds under it is there', () => {
  const fleet = serveInTurn([shapeUnder(1, 'model A'), shapeUnder(2, 'model B')])
  const wish = wishFor(shapeUnder(1, 'model A'), shapeUnder(2, 'model B'))
  const { steps } = planUpdate(fleet, { ...wish, proven: true })
  assert.equal(tell(steps), ['switch gateway', 'soak dg_1', 'commit dg_1'])
})

test('starts nothing for a model that a server of somebody else embeds under', () => {
  const fleet = serveInTurn([shapeUnder(1, 'model A')])
  const { steps } = planUpdate(fleet, wishFor(shapeUnder(2, 'model C'), shapeUnder(1, 'model A')))
  assert.not(tell(steps).some((step) => step.startsWith('start ')))
  assert.equal(extractionsOf(steps.reduce(applyStepToModel, fleet)), [A])
})

test('stops no extraction while the model of a loaded generation is not known', () => {
  const fleet = serveInTurn([shapeUnder(1, 'model A'), shapeUnder(2, 'model B')])
  const { steps } = planUpdate(fleet, wishFor(shapeUnder(3, 'model B'), shapeUnder(2, undefined)))
  assert.ok(extractionsOf(steps.reduce(applyStepToModel, fleet)).includes(A))
})

test('keeps the model of a release on record, so that who goes back needs no files', () => {
  const run: Run = {
    ...{ id: 'r', command: 'update', target: refTo(2), model: 'model B', former: null },
    ...{ phase: 'forward', reason: null, startedAt: 'then', owner: 'tester' },
  }
  const [release] = withRelease(EMPTY_RECORD, run, 'now', 'tester').releases
  assert.equal([release?.generation, release?.model], [refTo(2), 'model B'])
  const { model: _model, ...unknown } = run
  assert.not('model' in withRelease(EMPTY_RECORD, unknown, 'now', 'tester').releases[0]!)
})

const histories = fc.array(fc.constantFrom(...MODELS), { minLength: 1, maxLength: 5 })
const shapesOf = (models: readonly string[]) => models.map((model, index) => shapeUnder(index + 1, model))

test('runs exactly the extractions that loaded generations need, after any history of models', () => {
  fc.assert(
    fc.property(histories, (models) => {
      const fleet = serveInTurn(shapesOf(models))
      const needed = extractionSpecs(blueprint, NODES, models.slice(-2)).map(({ name }) => name)
      assert.equal(extractionsOf(fleet), needed.sort())
      for (const service of fleet.services) assert.is(findServiceProblem(service), undefined)
      const [last, former = null] = shapesOf(models).reverse()
      assert.equal(planUpdate(fleet, wishFor(last!, former, last)).steps, [])
    }),
    { numRuns: 200 },
  )
})

test('never routes by a generation that nothing embeds queries for, step by step, there and back', () => {
  fc.assert(
    fc.property(histories, fc.constantFrom(...MODELS), fc.nat(20), (models, next, count) => {
      const shapes = shapesOf([...models, next])
      const [target, former] = [shapes.at(-1)!, shapes.at(-2)!]
      let fleet = serveInTurn(shapes.slice(0, -1))
      const isEmbedded = () => {
        const served = shapes.find(({ generation }) => generation.name === findServed(fleet)?.name)
        const needed = extractionSpecs(blueprint, NODES, [served?.model]).map(({ name }) => name)
        return needed.every((name) => extractionsOf(fleet).includes(name))
      }
      for (const step of planUpdate(fleet, wishFor(target, former)).steps.slice(0, count)) {
        fleet = applyStepToModel(fleet, step)
        assert.ok(isEmbedded(), `${step.action} ${step.target}`)
      }
      const { clusters, model, generation } = former
      for (const step of planReturn(fleet, { former: generation, target: target.generation, clusters, model })
        .steps) {
        fleet = applyStepToModel(fleet, step)
        assert.ok(isEmbedded(), `${step.action} ${step.target}`)
      }
      assert.equal(findServed(fleet)?.name, generation.name)
    }),
    { numRuns: 200 },
  )
})

test('makes an extraction again whose settings the profile changes, and leaves the other one alone', () => {
  const fleet = serveInTurn([shapeUnder(1, 'model A'), shapeUnder(2, 'model B')])
  const [first, second, third] = blueprint.extractions
  const changed = {
    ...blueprint,
    extractions: [first!, { ...second!, template: { replicas: 3, settings: {} } }, third!],
  }
  const wish = wishFor(shapeUnder(2, 'model B'), shapeUnder(1, 'model A'), shapeUnder(2, 'model B'))
  const { steps } = planUpdate(fleet, { ...wish, blueprint: changed })
  assert.equal(
    tell(steps).filter((step) => step.includes('extraction')),
    [`start ${B}`],
  )
  assert.equal(steps.find(({ target }) => target === B)?.spec?.replicas, 3)
})

test.run()
