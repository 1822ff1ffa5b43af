import { canonicalJson, type Json } from './canonical-json.ts'
import { SERVICE_KINDS, type ServiceKind, type ServiceSpec } from './service.ts'

/** Everything that an engine makes a service of, in plain values. */
export type Content = { readonly [key: string]: Json }

/** A service and what its engine makes it of. What a profile says beyond specs stands in the content alone. */
export type MadeService = { readonly spec: ServiceSpec; readonly content: Content }

export function isSameContent(a: Content, b: Content): boolean {
  return canonicalJson(a) === canonicalJson(b)
}

/** Services in the order in which one needs the other: extraction, index services by their clusters, gateway. */
export function sortByNeed<T extends MadeService>(services: readonly T[]): T[] {
  return services.toSorted(
    ({ spec: a }, { spec: b }) =>
      rankOf(a.kind) - rankOf(b.kind) || a.name.localeCompare(b.name, 'en', { numeric: true }),
  )
}

function rankOf(kind: ServiceKind): number {
  return -SERVICE_KINDS.indexOf(kind)
}
