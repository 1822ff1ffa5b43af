import { canonicalJson, type Json } from './canonical-json.ts'
import { compareGenerations, type GenerationRef, isSameGeneration } from './generation.ts'
import { placeTasks } from './placement.ts'
import { extractionServiceName, GATEWAY, type Group, indexServiceName, type ServiceSpec } from './service.ts'
import type { Spread } from './shard-spread.ts'

type Template = { readonly replicas: number; readonly settings: Readonly<Record<string, string>> }

/**
 * How index services come to another generation: they hold it beside the former one for a while, or half of each
 * shard's replicas move first, so that no node ever holds two generations of a shard.
 */
export const STRATEGIES = ['side-by-side', 'replica-groups'] as const
export type Strategy = (typeof STRATEGIES)[number]

/** How a profile wants its services, whatever generation they serve. */
export type Blueprint = {
  readonly strategy: Strategy
  readonly gateway: Template & { readonly port: number }
  readonly index: Template
  /** What embeds under each model of the profile, that of new splits first. */
  readonly extractions: readonly Extraction[]
  /** Where shards live that are not on every node. */
  readonly spread?: Spread
}

/** What embeds under a model: a service made by the template; null where a server is given. */
export type Extraction = {
  readonly fingerprint: string
  readonly template: (Template & Pick<ServiceSpec, 'isOnGpu'>) | null
}

/** The gateway as it routes by `generation`. */
export function gatewaySpec(
  blueprint: Blueprint,
  nodes: readonly string[],
  generation: GenerationRef,
): ServiceSpec {
  const { gateway, spread } = blueprint
  return {
    name: GATEWAY,
    kind: 'gateway',
    nodes,
    generations: [generation],
    ...(spread && { isSpread: true }),
    ...gateway,
  }
}

/**
 * The index service of a cluster with the generations that it holds, newest last whatever the order given; `nodes` are
 * those of its shard.
 */
export function indexSpec(
  blueprint: Blueprint,
  nodes: readonly string[],
  cluster: number,
  generations: readonly GenerationRef[],
): ServiceSpec {
  return {
    name: indexServiceName(cluster),
    kind: 'index',
    cluster,
    nodes: placeTasks(nodes, cluster),
    generations: sortGenerations(generations),
    ...(blueprint.spread && { isSpread: true }),
    ...blueprint.index,
  }
}

/**
 * One of the two index services of a cluster that hold one generation each; `nodes` are those of its group. A gateway may
 * ask its tasks as soon as they are ready, so that they check themselves before.
 */
export function groupSpec(
  blueprint: Blueprint,
  nodes: readonly string[],
  { cluster, group }: { readonly cluster: number; readonly group: Group },
  generation: GenerationRef,
): ServiceSpec {
  const { replicas, settings } = blueprint.index
  return {
    ...indexSpec(blueprint, nodes, cluster, [generation]),
    name: indexServiceName(cluster, group),
    replicas: group === 'a' ? Math.ceil(replicas / 2) : Math.floor(replicas / 2),
    order: 'stop-first',
    settings: { ...settings, SELF_CHECK: '1' },
  }
}

/**
 * The extraction services that generations of these models need. One whose model is not known, or not in the profile,
 * counts as of the first model.
 */
export function extractionSpecs(
  { extractions }: Blueprint,
  nodes: readonly string[],
  models: readonly (string | undefined)[],
): ServiceSpec[] {
  const needed = models.map(
    (model) => extractions.find(({ fingerprint }) => fingerprint === model) ?? extractions[0],
  )
  return [...new Set(needed)].flatMap((extraction) => {
    if (!extraction?.template) return []
    const name = extractionServiceName(extraction)
    return [{ name, kind: 'extraction', nodes, generations: [], ...extraction.template } as const]
  })
}

export function isSameSpec(a: ServiceSpec, b: ServiceSpec): boolean {
  return canonicalJson(a as unknown as Json) === canonicalJson(b as unknown as Json)
}

/** Whether every one of `wanted` is among `generations`. */
export function hasAll(generations: readonly GenerationRef[], wanted: readonly GenerationRef[]): boolean {
  return wanted.every((one) => generations.some((other) => isSameGeneration(one, other)))
}

/** Distinct generations, newest last. */
export function sortGenerations(generations: readonly GenerationRef[]): GenerationRef[] {
  return generations
    .filter((one, index) => generations.findIndex((other) => isSameGeneration(one, other)) === index)
    .sort((a, b) => compareGenerations(a.name, b.name))
}
