import { canonicalJson, type Json } from './canonical-json.ts'
import { compareGenerations, type GenerationRef, isSameGeneration } from './generation.ts'
import { placeTasks } from './placement.ts'
import { EXTRACTION, GATEWAY, type Group, indexServiceName, type ServiceSpec } from './service.ts'
import type { Spread } from './shard-spread.ts'

type Template = { readonly replicas: number; readonly settings: Readonly<Record<string, string>> }

/**
 * How index services come to another generation: they hold it beside the former one for a while, or half of each
 * shard's replicas move first, so that no node ever holds two generations of a shard.
 */
export const STRATEGIES = ['side-by-side', 'replica-groups'] as const
export type Strategy = (typeof STRATEGIES)[number]

/** How a profile wants its services, whatever generation they serve. `extraction` is null where a server is given. */
export type Blueprint = {
  readonly strategy: Strategy
  readonly gateway: Template & { readonly port: number }
  readonly index: Template
  readonly extraction: Template | null
  /** Where shards live that are not on every node. */
  readonly spread?: Spread
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

export function extractionSpec(template: Template, nodes: readonly string[]): ServiceSpec {
  return { name: EXTRACTION, kind: 'extraction', nodes, generations: [], ...template }
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
