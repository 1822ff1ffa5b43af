import { type Fleet, findServed, findService, findServiceProblem } from './fleet.ts'
import { type GenerationRef, isSameGeneration } from './generation.ts'
import { findEligibleNodes, type Shape } from './placement.ts'
import { assemblePlan, type Plan, type Step } from './plan.ts'
import { planDelivery, planRemoval, planVerification } from './plan-deliver.ts'
import { planGroups } from './plan-groups.ts'
import { type IndexSteps, planIndexServices } from './plan-index.ts'
import { type Blueprint, extractionSpecs, gatewaySpec, isSameSpec } from './plan-services.ts'
import type { RoutePolicy } from './route.ts'
import { GATEWAY, type ServiceSpec } from './service.ts'

type UnnumberedStep = Omit<Step, 'batch'>

/** What shall be served, and how. */
export type Wish = {
  readonly target: Shape
  /** The generation that stays loaded beside the target, so that going back is one switch. */
  readonly companion: Shape | null
  readonly blueprint: Blueprint
  /** Whether the target was in service before: what is still loaded of it is not checked again. */
  readonly proven: boolean
  /** The generation of the last release. */
  readonly released: GenerationRef | null
  /** Generations that nodes keep besides target and companion, whatever their age. */
  readonly kept: readonly string[]
  /** How many further ones nodes keep. */
  readonly keep: number
  /** How generations travel to nodes, where there is a choice. */
  readonly routes?: RoutePolicy | undefined
}

/**
 * The steps from what stands to what shall be: deliver and verify; start extraction; load; check; switch; soak; with
 * replica groups, load and check the other one; commit; retire; remove. Applied, they leave nothing to plan. The
 * generation in service is answered for until the switch.
 */
export function planUpdate(fleet: Fleet, wish: Wish): Plan {
  const { target, companion, blueprint } = wish
  const eligible = findEligibleNodes(fleet, companion ? [target, companion] : [target])
  const nodes = eligible.map(({ name }) => name)
  const { load, follow, retire, loaded, followed } = planIndexes(fleet, wish, nodes)
  const loads = [...load, ...follow]
  const extractions = extractionSpecs(blueprint, nodes, listModels(wish))
  const start = extractions.flatMap((spec) => planExtraction(fleet, spec))
  const switching = planSwitch(fleet, gatewaySpec(blueprint, nodes, target.generation))
  const commit = planCommit(wish)
  const isMoving = [start, loads, switching, commit].some((steps) => steps.length > 0)
  const isChecked = loads.length > 0 || (switching.length > 0 && !wish.proven)
  return assemblePlan([
    [
      ...planDelivery(fleet.nodes, target, wish.routes),
      ...planCompanion(fleet, wish),
      ...planReview(fleet, wish, loads),
    ],
    start,
    load,
    isChecked ? planChecks(target, loaded) : [],
    switching,
    isMoving ? [planSoak(target.generation)] : [],
    follow,
    isChecked ? planChecks(target, followed) : [],
    commit,
    [...retire, ...planNoExtraction(fleet, wish, extractions)],
    planRemoval(fleet.nodes, {
      newest: target.generation.name,
      kept: [target.generation.name, ...(companion ? [companion.generation.name] : []), ...wish.kept],
      keep: wish.keep,
    }),
  ])
}

function planIndexes(fleet: Fleet, wish: Wish, nodes: readonly string[]): IndexSteps {
  if (wish.blueprint.strategy === 'replica-groups') return planGroups(fleet, { ...wish, nodes })
  return planIndexServices(fleet, { ...wish, served: findServed(fleet), nodes })
}

function planCompanion(fleet: Fleet, { companion, routes }: Wish): UnnumberedStep[] {
  return companion ? planDelivery(fleet.nodes, companion, routes) : []
}

/** Hashes again what nodes hold already and tasks are about to map; what is served now has been through this. */
function planReview(fleet: Fleet, wish: Wish, loads: readonly UnnumberedStep[]): UnnumberedStep[] {
  if (loads.length === 0) return []
  const served = findServed(fleet) ?? undefined
  const shapes = wish.companion ? [wish.target, wish.companion] : [wish.target]
  return shapes
    .filter((shape) => shape.available && !isSameGeneration(shape.generation, served))
    .flatMap((shape) =>
      planVerification(
        fleet.nodes.filter((node) => node.reachable),
        shape,
      ),
    )
}

/** The models of what stays loaded; undefined for one that nobody knows. */
function listModels({ target, companion }: Wish): (string | undefined)[] {
  return (companion ? [target, companion] : [target]).map(({ model }) => model)
}

function planExtraction(fleet: Fleet, spec: ServiceSpec): UnnumberedStep[] {
  const cause = explainChange(fleet, spec)
  return cause ? [{ action: 'start', target: spec.name, cause, spec }] : []
}

/** Extraction services whose model no loaded generation has; none while a model is not known. */
function planNoExtraction(fleet: Fleet, wish: Wish, needed: readonly ServiceSpec[]): UnnumberedStep[] {
  if (listModels(wish).includes(undefined)) return []
  return fleet.services
    .filter(({ spec }) => spec.kind === 'extraction' && !needed.some(({ name }) => name === spec.name))
    .map(({ spec }) => ({
      action: 'stop',
      target: spec.name,
      cause: 'what is loaded is embedded by another service',
    }))
}

function planChecks({ generation }: Shape, services: readonly string[]): UnnumberedStep[] {
  return services.map((target) => ({
    action: 'check',
    target,
    cause: `every task must answer golden queries from ${generation.name}`,
    generation,
  }))
}

function planSwitch(fleet: Fleet, spec: ServiceSpec): UnnumberedStep[] {
  const cause = explainChange(fleet, spec)
  return cause ? [{ action: 'switch', target: GATEWAY, cause, spec }] : []
}

function planSoak(generation: GenerationRef): UnnumberedStep {
  return { action: 'soak', target: generation.name, cause: 'every task must stay ready', generation }
}

function planCommit({ target, released }: Wish): UnnumberedStep[] {
  if (isSameGeneration(released ?? undefined, target.generation)) return []
  const cause = released ? `the last release is ${released.name}` : 'this is the first release'
  return [{ action: 'commit', target: target.generation.name, cause, generation: target.generation }]
}

function explainChange(fleet: Fleet, spec: ServiceSpec): string | undefined {
  const state = findService(fleet, spec.name)
  if (!state) return `there is no ${spec.name} yet`
  const [former] = state.spec.generations
  if (former && !isSameGeneration(former, spec.generations[0])) return `it routes by ${former.name}`
  if (!isSameSpec(state.spec, spec)) return 'its nodes, replicas or settings differ from the profile'
  return findServiceProblem(state)
}
