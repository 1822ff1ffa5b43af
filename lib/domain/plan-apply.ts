import { type Difference, findDifferences, renderDifference } from './content-difference.ts'
import { type MadeService, sortByNeed } from './made-service.ts'
import { assemblePlan, type Plan, type Step } from './plan.ts'

type UnnumberedStep = Omit<Step, 'batch'>

export type ServiceDifference = Difference & { readonly service: string }

/** What it takes to make the services that run those that shall run. */
export type Changes = {
  readonly differences: readonly ServiceDifference[]
  /** Names of services that shall run and do not. */
  readonly added: readonly string[]
  /** Names of services that run and are not asked for: they are left alone. */
  readonly strangers: readonly string[]
  readonly plan: Plan
}

/**
 * Compares services by content, and plans to change those that differ, one after the other in the order in which they
 * need each other. Nothing is ever planned to stop.
 */
export function planApply(running: readonly MadeService[], wanted: readonly MadeService[]): Changes {
  const compared = compareAll(running, wanted)
  return {
    differences: compared.flatMap(({ differences }) => differences),
    added: compared.filter(({ isMissing }) => isMissing).map(({ service }) => service.spec.name),
    strangers: namesOf(running).filter((name) => !namesOf(wanted).includes(name)),
    plan: assemblePlan(planChanges(compared).map((step) => [step])),
  }
}

/**
 * The way back, in the reverse order: of the services that were to change, those that are not what they were before are
 * made that again, and those that were not there stop.
 */
export function planReversal(
  before: readonly MadeService[],
  running: readonly MadeService[],
  changed: readonly string[],
): Plan {
  const former = before.filter(({ spec }) => changed.includes(spec.name))
  const fresh = namesOf(running).filter((name) => changed.includes(name) && !namesOf(before).includes(name))
  const stops = fresh.map((target): UnnumberedStep => ({ action: 'stop', target, cause: 'it was not there' }))
  const steps = [...planChanges(compareAll(running, former)), ...stops].reverse()
  return assemblePlan(steps.map((step) => [{ ...step, cause: `as before: ${step.cause}` }]))
}

type Comparison = {
  readonly service: MadeService
  readonly isMissing: boolean
  readonly differences: readonly ServiceDifference[]
}

function compareAll(running: readonly MadeService[], wanted: readonly MadeService[]): Comparison[] {
  return sortByNeed(wanted).map((service) => {
    const { name } = service.spec
    const found = running.find(({ spec }) => spec.name === name)
    const differences = found ? findDifferences(describe(found), describe(service)) : []
    return {
      service,
      isMissing: !found,
      differences: differences.map((each) => ({ service: name, ...each })),
    }
  })
}

function planChanges(compared: readonly Comparison[]): UnnumberedStep[] {
  return compared.flatMap(({ service, isMissing, differences }) => {
    if (isMissing) return changeTo(service, `there is no ${service.spec.name}`)
    return differences.length > 0 ? changeTo(service, explain(differences)) : []
  })
}

function namesOf(services: readonly MadeService[]): string[] {
  return sortByNeed(services).map(({ spec }) => spec.name)
}

/** Nodes count as a set: an engine that minds their order has them in its content. */
function describe({ spec, content }: MadeService) {
  return { nodes: spec.nodes.toSorted(), ...content }
}

function changeTo({ spec, content }: MadeService, cause: string): UnnumberedStep {
  return { action: 'change', target: spec.name, cause, spec, content }
}

function explain(differences: readonly Difference[]): string {
  const [first, ...others] = differences
  const more = others.length > 0 ? `, and ${others.length} more` : ''
  return `${first!.path} ${renderDifference(first!)}${more}`
}
