import type { Json } from './canonical-json.ts'
import { isSameContent } from './made-service.ts'
import { describeCheck, type RawCheck } from './swarm-health-check.ts'
import type { StackService } from './swarm-stack.ts'

type RawAmounts = { readonly NanoCPUs?: number; readonly MemoryBytes?: number }

/** What `docker service inspect` tells of a service and that is commonly changed by hand. */
export type RawRunning = {
  readonly Mode?: { readonly Replicated?: { readonly Replicas?: number } }
  readonly TaskTemplate: {
    readonly ContainerSpec?: {
      readonly Image?: string
      readonly Env?: readonly string[] | null
      readonly Healthcheck?: RawCheck
    }
    readonly Resources?: { readonly Limits?: RawAmounts; readonly Reservations?: RawAmounts }
    readonly Placement?: { readonly Constraints?: readonly string[] | null }
  }
}

/**
 * What a service is made of as it runs: what Longshore made it of, with image, environment, health check, replicas,
 * placement and resources as the Swarm has them now. Amounts that only look different stay as they were written.
 */
export function describeRunning(made: StackService, raw: RawRunning): StackService {
  const { ContainerSpec: { Image, Env, Healthcheck } = {}, Placement } = raw.TaskTemplate
  const deploy = made.deploy as StackService
  const { resources: declared, ...others } = deploy
  const resources = describeResources((declared ?? {}) as Resources, raw)
  return {
    ...made,
    ...(Image !== undefined && { image: Image }),
    environment: parseEnvironment(Env ?? []),
    ...(made.healthcheck !== undefined && { healthcheck: describeCheck(made.healthcheck, Healthcheck) }),
    deploy: {
      ...others,
      replicas: raw.Mode?.Replicated?.Replicas ?? deploy.replicas!,
      placement: { ...(deploy.placement as StackService), constraints: Placement?.Constraints ?? [] },
      ...(resources && { resources }),
    },
  }
}

type Amounts = { readonly cpus?: string; readonly memory?: string }
type Resources = { readonly limits?: Amounts; readonly reservations?: Amounts }

function describeResources(declared: Resources, { TaskTemplate }: RawRunning): StackService | undefined {
  const { Limits = {}, Reservations = {} } = TaskTemplate.Resources ?? {}
  const running = { limits: describeAmounts(Limits), reservations: describeAmounts(Reservations) }
  const isAsDeclared =
    isSameContent(normalize(declared.limits), running.limits) &&
    isSameContent(normalize(declared.reservations), running.reservations)
  const kept = Object.entries(running).filter(([, amounts]) => Object.keys(amounts).length > 0)
  const shown = isAsDeclared ? (declared as StackService) : Object.fromEntries(kept)
  return Object.keys(shown).length > 0 ? shown : undefined
}

function normalize({ cpus, memory }: Amounts = {}): StackService {
  return describeAmounts({
    ...(cpus !== undefined && { NanoCPUs: Math.round(Number(cpus) * 1e9) }),
    ...(memory !== undefined && { MemoryBytes: parseBytes(memory) }),
  })
}

function describeAmounts({ NanoCPUs = 0, MemoryBytes = 0 }: RawAmounts): StackService {
  return {
    ...(NanoCPUs > 0 && { cpus: String(NanoCPUs / 1e9) }),
    ...(MemoryBytes > 0 && { memory: `${MemoryBytes}b` }),
  }
}

/** `512M` in bytes; units are powers of 1024, as docker takes them. */
function parseBytes(text: string): number {
  return Number.parseInt(text, 10) * 1024 ** 'bkmg'.indexOf(text.at(-1)!.toLowerCase())
}

function parseEnvironment(lines: readonly string[]): Record<string, Json> {
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}
