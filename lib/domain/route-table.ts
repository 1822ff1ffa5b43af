import { LongshoreError } from './errors.ts'

/** One server that answers for a service, and by which name. */
export type Backend = {
  /** Begins with http:// or https://, without a slash at its end. */
  readonly url: string
  /** The service's name there. */
  readonly service: string
  /** Its share of the requests, compared with those of the others; none at 0, but it answers when all others fail. */
  readonly weight: number
}

/** A server that gets copies of requests, whose answers nobody waits for. */
export type Shadow = {
  readonly url: string
  readonly service: string
  /** Share of the requests that are copied, 0 to 1. */
  readonly sample: number
}

/** Where the requests for one service go. */
export type ServiceRoute = { readonly backends: readonly Backend[]; readonly shadow?: Shadow }

/** What a router routes by. */
export type RouteTable = {
  /** Where requests go that name no service that is routed; they are refused where it is left out. */
  readonly fallback?: string
  /** By the name, in lower case, that clients use. */
  readonly services: Readonly<Record<string, ServiceRoute>>
}

export const EMPTY_TABLE: RouteTable = { services: {} }

/** A route table from JSON. Raises `usage` naming `where`, the member and what was expected. */
export function parseRouteTable(text: string, where: string): RouteTable {
  const refuse = (member: string, expected: string): never => {
    throw new LongshoreError('usage', `${where}: ${member}: expected ${expected}`)
  }
  const value = parseJson(text, () => refuse('the whole', 'JSON'))
  if (!isObject(value) || !isObject(value.services)) return refuse('services', 'an object')
  const { fallback, services } = value
  if (fallback !== undefined && !isAddress(fallback)) refuse('fallback', 'an address http://host:port')
  const entries = Object.entries(services).map(([name, route]) => {
    const member = `services.${name}`
    if (name !== name.toLowerCase()) refuse(member, 'a name in lower case')
    if (!isObject(route) || !Array.isArray(route.backends) || route.backends.length === 0) {
      return refuse(`${member}.backends`, 'a list of at least one')
    }
    const { backends, shadow } = route
    if (!backends.every((one) => isTarget(one) && isShare(one.weight, Number.MAX_VALUE))) {
      refuse(`${member}.backends`, '{url, service, weight} each')
    }
    if (shadow !== undefined && !(isTarget(shadow) && isShare(shadow.sample, 1))) {
      refuse(`${member}.shadow`, '{url, service, sample} with a sample from 0 to 1')
    }
    return [name, { backends, ...(shadow !== undefined && { shadow }) }] as const
  })
  return {
    ...(isAddress(fallback) && { fallback }),
    services: Object.fromEntries(entries) as unknown as RouteTable['services'],
  }
}

/** The order in which backends are asked for one request: by weight, then the rest, and the first again should all fail. */
export function orderBackends(
  backends: readonly Backend[],
  isOut: (backend: Backend) => boolean,
  chance: number,
): readonly Backend[] {
  const out = new Set(backends.filter(isOut))
  const well = backends.filter((one) => !out.has(one))
  const first = pickByWeight(well, chance) ?? well[0] ?? pickByWeight(backends, chance) ?? backends[0]!
  const others = [...well, ...out].filter((one) => one !== first)
  return [first, ...others, first]
}

function pickByWeight(backends: readonly Backend[], chance: number): Backend | undefined {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0)
  let left = chance * total
  const weighted = backends.filter(({ weight }) => weight > 0)
  return (
    weighted.find(({ weight }) => {
      left -= weight
      return left < 0
    }) ?? weighted.at(-1)
  )
}

function parseJson(text: string, refuse: () => never): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return refuse()
    throw error
  }
}

function isTarget(value: unknown): value is Record<string, unknown> {
  return isObject(value) && isAddress(value.url) && typeof value.service === 'string' && value.service !== ''
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\/[^/\s]+[^/\s]$/.test(value)
}

function isShare(value: unknown, most: number): boolean {
  return typeof value === 'number' && value >= 0 && value <= most
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
