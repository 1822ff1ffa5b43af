import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Fleet, findServed, findService, findServiceProblem, isHeld } from '../../lib/domain/fleet.ts'
import { type GenerationRef, isSameGeneration } from '../../lib/domain/generation.ts'
import type { Shape } from '../../lib/domain/placement.ts'
import { planReturn } from '../../lib/domain/plan-rollback.ts'
import { type Blueprint, extractionSpecs, gatewaySpec, indexSpec } from '../../lib/domain/plan-services.ts'
import { planUpdate, type Wish } from '../../lib/domain/plan-update.ts'
import { extractionServiceName, indexServiceName } from '../../lib/domain/service.ts'
import { applyStepToModel, applyToModel, healthy, refTo, shapeWith } from '../support/model-fleet.ts'
import { makeNode } from '../support/nodes.ts'

const blueprint: Blueprint = {
  strategy: 'side-by-side',
  gateway: { replicas: 2, port: 14005, settings: { HOST: '127.0.0.1' } },
  index: { replicas: 1, settings: {} },
  extractions: [{ fingerprint: 'sha256:model', template: { replicas: 1, settings: {} } }],
}
const NODES = ['node-1', 'node-2', 'node-3']
const CLUSTERS = [0, 1, 2, 3]
const numbers = fc.integer({ min: 1, max: 6 })
const clusters = fc.subarray(CLUSTERS, { minLength: 1 })

type Case = { fleet: Fleet; wish: Wish; former: Shape | null }

/** Fleets in any state, with any wish; what is served now need not be what stays loaded beside the target. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    shapes: fc.array(clusters, { minLength: 6, maxLength: 6 }),
    target: numbers,
    former: fc.option(numbers),
    older: fc.option(numbers),
    held: fc.array(fc.subarray([1, 2, 3, 4, 5, 6]), { minLength: 3, maxLength: 3 }),
    broken: fc.subarray(['gateway', extractionServiceName(blueprint.extractions[0]!), 'index_0', 'index_1']),
    lost: fc.subarray(NODES, { maxLength: 2 }),
    keep: fc.integer({ min: 0, max: 2 }),
    proven: fc.boolean(),
    isFormerKnown: fc.boolean(),
    isReleased: fc.boolean(),
  })
  .map((drawn) => {
    const shape = (number: number) => shapeWith(number, drawn.shapes[number - 1]!)
    const former = drawn.former === null ? null : shape(drawn.former)
    const isMoving = former !== null && drawn.former !== drawn.target
    const spare = drawn.older === null || drawn.older === drawn.target ? null : shape(drawn.older)
    const running = former ? runServices([former, ...(drawn.older ? [shape(drawn.older)] : [])]) : []
    const fleet: Fleet = {
      nodes: NODES.map((name, index) => ({
        ...makeNode(name, drawn.held[index]!.map(refTo)),
        reachable: !drawn.lost.includes(name),
      })),
      services: running.map((state) =>
        drawn.broken.includes(state.spec.name)
          ? {
              ...state,
              tasks: state.tasks.map((task) => ({ ...task, state: 'failed', generations: [] }) as const),
            }
          : state,
      ),
    }
    const wish: Wish = {
      target: shape(drawn.target),
      companion: isMoving && drawn.isFormerKnown ? former : spare,
      blueprint,
      proven: drawn.proven,
      released: drawn.isReleased ? refTo(drawn.target) : null,
      kept: [],
      keep: drawn.keep,
    }
    return { fleet, wish, former }
  })

function runServices(shapes: readonly [Shape, ...Shape[]] | readonly Shape[]) {
  const all = [...new Set(shapes.flatMap((shape) => shape.clusters))]
  const holding = (cluster: number) =>
    shapes.filter((shape) => shape.clusters.includes(cluster)).map(({ generation }) => generation)
  return [
    healthy(gatewaySpec(blueprint, NODES, shapes[0]!.generation)),
    ...extractionSpecs(blueprint, NODES, [undefined]).map(healthy),
    ...all.map((cluster) => healthy(indexSpec(blueprint, NODES, cluster, holding(cluster)))),
  ]
}

const heldBy = (fleet: Fleet, cluster: number): readonly GenerationRef[] =>
  findService(fleet, indexServiceName(cluster))?.spec.generations ?? []
const includes = (generations: readonly GenerationRef[], one: GenerationRef) =>
  generations.some((other) => isSameGeneration(one, other))

test('leaves nothing to plan once it is applied, from any state', () => {
  fc.assert(
    fc.property(cases, ({ fleet, wish }) => {
      const after = applyToModel(fleet, planUpdate(fleet, wish))
      assert.equal(planUpdate(after, { ...wish, released: wish.target.generation }).steps, [])
    }),
    { numRuns: 500 },
  )
})

test('makes every service serve the target and its companion, and nothing else', () => {
  fc.assert(
    fc.property(cases, ({ fleet, wish }) => {
      const after = applyToModel(fleet, planUpdate(fleet, wish))
      assert.equal(findServed(after), wish.target.generation)
      for (const state of after.services) assert.is(findServiceProblem(state), undefined)
      for (const cluster of CLUSTERS) {
        const shapes = [wish.target, ...(wish.companion ? [wish.companion] : [])]
        const wanted = shapes.filter((shape) => shape.clusters.includes(cluster))
        const held = heldBy(after, cluster)
        assert.is(held.length, wanted.length)
        assert.ok(wanted.every(({ generation }) => includes(held, generation)))
      }
      const reachable = after.nodes.filter((node) => node.reachable)
      assert.ok(reachable.every((node) => isHeld(node, wish.target.generation)))
    }),
    { numRuns: 500 },
  )
})

test('never drops what the gateway routes by, step by step', () => {
  fc.assert(
    fc.property(cases, ({ fleet, wish }) => {
      let state = fleet
      for (const step of planUpdate(fleet, wish).steps) {
        const served = findServed(state)
        const before = CLUSTERS.filter((cluster) => served && includes(heldBy(state, cluster), served))
        state = applyStepToModel(state, step)
        if (step.action === 'switch' || !served) continue
        for (const cluster of before) assert.ok(includes(heldBy(state, cluster), served))
      }
    }),
    { numRuns: 500 },
  )
})

test('switches only to what every cluster holds', () => {
  fc.assert(
    fc.property(cases, ({ fleet, wish }) => {
      let state = fleet
      for (const step of planUpdate(fleet, wish).steps) {
        if (step.action === 'switch') {
          for (const cluster of wish.target.clusters) {
            assert.ok(includes(heldBy(state, cluster), wish.target.generation))
          }
        }
        state = applyStepToModel(state, step)
      }
    }),
    { numRuns: 500 },
  )
})

test('can be gone back from after any number of steps, without loading the former generation anew', () => {
  fc.assert(
    fc.property(cases, fc.nat(30), ({ fleet, wish, former }, count) => {
      if (!former || former !== wish.companion) return
      const begun = planUpdate(fleet, wish).steps.slice(0, count)
      let state = begun.reduce(applyStepToModel, fleet)
      const broken = { former: former.generation, target: wish.target.generation, clusters: former.clusters }
      for (const step of planReturn(state, broken).steps) {
        state = applyStepToModel(state, step)
      }
      assert.equal(findServed(state), former.generation)
      for (const cluster of former.clusters) assert.ok(includes(heldBy(state, cluster), former.generation))
      assert.ok(CLUSTERS.every((cluster) => !includes(heldBy(state, cluster), wish.target.generation)))
      assert.equal(planReturn(state, broken).steps, [])
    }),
    { numRuns: 500 },
  )
})

test('says why of every step, and numbers batches without a gap', () => {
  fc.assert(
    fc.property(cases, ({ fleet, wish }) => {
      const { steps } = planUpdate(fleet, wish)
      assert.ok(steps.every(({ cause }) => cause.length > 3))
      const batches = [...new Set(steps.map(({ batch }) => batch))]
      assert.equal(
        batches,
        batches.map((_, index) => index + 1),
      )
    }),
  )
})

test('spreads the clusters over the nodes', () => {
  const fleet: Fleet = {
    nodes: NODES.map((name) => makeNode(name)),
    services: [],
  }
  const wish = {
    target: shapeWith(1, CLUSTERS),
    companion: null,
    blueprint,
    proven: false,
    released: null,
    kept: [],
    keep: 1,
  }
  const after = applyToModel(fleet, planUpdate(fleet, wish))
  const first = CLUSTERS.map((cluster) => findService(after, indexServiceName(cluster))?.spec.nodes[0])
  assert.equal(first, ['node-1', 'node-2', 'node-3', 'node-1'])
})

test.run()
