import * as assert from 'uvu/assert'
import type { Fleet } from '../../lib/domain/fleet.ts'
import { isSameGeneration } from '../../lib/domain/generation.ts'
import type { Shape } from '../../lib/domain/placement.ts'
import { batchesOf, type Plan, type Step } from '../../lib/domain/plan.ts'
import { hasAll } from '../../lib/domain/plan-services.ts'
import { listRouted } from '../../lib/domain/replica-groups.ts'
import { applyStepToModel } from './model-fleet.ts'

/**
 * What a plan makes of a fleet. Raises when, in the middle of a batch, with every service away that the batch changes,
 * a shard of a generation that gateways route by is answered for by nobody.
 */
export function applyWatched(fleet: Fleet, plan: Plan, shapes: readonly Shape[]): Fleet {
  return batchesOf(plan).reduce((before, batch) => {
    const after = batch.reduce(applyStepToModel, before)
    assertAnswered(withoutTasks(before, batch), [...listRouted(before), ...listRouted(after)], shapes)
    return after
  }, fleet)
}

/** Node by node and cluster by cluster, the names of the resident generations: `node-1 0 -> dg_7`. */
export function listResidents({ services }: Fleet): Map<string, Set<string>> {
  const residents = new Map<string, Set<string>>()
  for (const { spec, tasks } of services.filter((one) => one.spec.kind === 'index')) {
    for (const { node, generations } of tasks) {
      const place = `${node} ${spec.cluster}`
      const names = generations.map(({ name }) => name)
      residents.set(place, new Set([...(residents.get(place) ?? []), ...names]))
    }
  }
  return residents
}

function withoutTasks(fleet: Fleet, batch: readonly Step[]): Fleet {
  const changed = batch.filter(({ spec, action }) => action === 'stop' || spec?.order === 'stop-first')
  const names = changed.map(({ target }) => target)
  const services = fleet.services.map((state) =>
    names.includes(state.spec.name) ? { ...state, tasks: [] } : state,
  )
  return { ...fleet, services }
}

function assertAnswered(fleet: Fleet, routed: ReturnType<typeof listRouted>, shapes: readonly Shape[]): void {
  for (const one of routed) {
    const shape = shapes.find(({ generation }) => isSameGeneration(generation, one))
    for (const cluster of shape?.clusters ?? []) {
      const answers = fleet.services.some(
        ({ spec, tasks }) =>
          spec.kind === 'index' &&
          spec.cluster === cluster &&
          tasks.some(({ state, generations }) => state === 'ready' && hasAll(generations, [one])),
      )
      assert.ok(answers, `cluster ${cluster} of ${one.name} is answered for by nobody`)
    }
  }
}
