import type { Fleet } from '../../lib/domain/fleet.ts'
import type { GenerationRef } from '../../lib/domain/generation.ts'
import type { Shape } from '../../lib/domain/placement.ts'
import type { Plan, Step } from '../../lib/domain/plan.ts'
import type { ServiceSpec, ServiceState } from '../../lib/domain/service.ts'

/** What a plan makes of a fleet when every step succeeds. */
export function applyToModel(fleet: Fleet, plan: Plan): Fleet {
  return plan.steps.reduce(applyStepToModel, fleet)
}

export function applyStepToModel(fleet: Fleet, step: Step): Fleet {
  if (step.spec) return withService(fleet, healthy(step.spec))
  if (step.action === 'stop') {
    return { ...fleet, services: fleet.services.filter(({ spec }) => spec.name !== step.target) }
  }
  if (step.action !== 'deliver' && step.action !== 'remove') return fleet
  const nodes = fleet.nodes.map((node) => {
    if (node.name !== step.node) return node
    const others = node.generations.filter(({ name }) => name !== step.target)
    return { ...node, generations: step.action === 'deliver' ? [...others, step.generation!] : others }
  })
  return { ...fleet, nodes }
}

/** A service of which every task is ready and serves what the spec says. */
export function healthy(spec: ServiceSpec): ServiceState {
  const tasks = Array.from({ length: spec.replicas }, (_, index) => ({
    id: `${spec.name}.${index}`,
    node: spec.nodes[index % spec.nodes.length] ?? 'nowhere',
    state: 'ready' as const,
    generations: spec.generations,
  }))
  return { spec, tasks }
}

export function refTo(number: number): GenerationRef {
  return { name: `dg_${number}`, digest: `sha256:${number}` }
}

export function shapeWith(number: number, clusters: readonly number[]): Shape {
  return { generation: refTo(number), clusters, bytes: 100, available: true }
}

function withService(fleet: Fleet, state: ServiceState): Fleet {
  const others = fleet.services.filter(({ spec }) => spec.name !== state.spec.name)
  return { ...fleet, services: [...others, state] }
}
