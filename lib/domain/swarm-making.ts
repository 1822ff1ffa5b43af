import type { RawResource } from './gpu-settings.ts'
import type { RawCheck } from './swarm-health-check.ts'
import { parseList } from './swarm-inspect.ts'
import { LABELS } from './swarm-names.ts'
import type { StackService } from './swarm-stack.ts'

/** A service as it stands in the Swarm, beside what Longshore noted on it. */
export type Making = {
  readonly id: string
  /** In the Swarm. */
  readonly name: string
  /** What it was made of; null where the label is gone or no JSON. */
  readonly made: StackService | null
  /** Whether Longshore still sees it as its own. */
  readonly isKnown: boolean
  readonly actual: RawSpec
  /** Where the Swarm stopped in the middle of an update: its own words. */
  readonly paused: string | null
}

/** The part of a service's specification that Longshore writes, as the engine prints it. Times are nanoseconds. */
export type RawSpec = {
  readonly Name: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly TaskTemplate: {
    readonly ContainerSpec?: RawContainer
    readonly Resources?: { readonly Limits?: RawAmounts; readonly Reservations?: RawAmounts }
    readonly RestartPolicy?: { readonly Condition?: string; readonly Delay?: number }
    readonly Placement?: { readonly Constraints?: readonly string[] }
  }
  readonly Mode: { readonly Replicated?: { readonly Replicas: number } }
  readonly UpdateConfig?: RawPolicy
  readonly RollbackConfig?: RawPolicy
  readonly EndpointSpec?: { readonly Mode?: string; readonly Ports?: readonly RawPort[] }
}

export type RawContainer = {
  readonly Image: string
  readonly Command?: readonly string[]
  readonly Args?: readonly string[]
  readonly Env?: readonly string[]
  readonly User?: string
  readonly ReadOnly?: boolean
  readonly CapabilityDrop?: readonly string[]
  readonly Mounts?: readonly RawMount[]
  readonly StopGracePeriod?: number
  readonly Healthcheck?: RawCheck
}

export type RawAmounts = {
  readonly NanoCPUs?: number
  readonly MemoryBytes?: number
  readonly GenericResources?: readonly RawResource[] | null
}
export type RawPolicy = {
  readonly Parallelism?: number
  readonly Delay?: number
  readonly FailureAction?: string
  readonly Monitor?: number
  readonly MaxFailureRatio?: number
  readonly Order?: string
}
export type RawPort = {
  readonly TargetPort?: number
  readonly PublishedPort?: number
  readonly Protocol?: string
  readonly PublishMode?: string
}
export type RawMount = {
  readonly Type: string
  readonly Source?: string
  readonly Target: string
  readonly ReadOnly?: boolean
}

/** Services among what `docker service inspect` prints, whoever's they are. Raises `remote` when it is something else. */
export function parseMakings(text: string): Making[] {
  return parseList<RawService>(text, 'docker service inspect').map(({ ID, Spec, UpdateStatus }) => {
    const { State = '', Message = '' } = UpdateStatus ?? {}
    return {
      id: ID,
      name: Spec.Name,
      made: parseMade(Spec.Labels?.[LABELS.made]),
      isKnown: Spec.Labels?.[LABELS.spec] !== undefined,
      actual: Spec,
      paused: /paused$/.test(State) ? Message || State : null,
    }
  })
}

/** Services of a fleet among others. */
export function filterFleet(makings: readonly Making[], fleet: string): Making[] {
  return makings.filter(({ actual }) => actual.Labels?.[LABELS.fleet] === fleet)
}

/** Names of services that publish a port on every node. */
export function findMeshed(makings: readonly Making[], port: number): string[] {
  const isMeshed = ({ PublishedPort, PublishMode }: RawPort) =>
    PublishedPort === port && PublishMode !== 'host'
  return makings.filter(({ actual }) => actual.EndpointSpec?.Ports?.some(isMeshed)).map(({ name }) => name)
}

type RawService = {
  readonly ID: string
  readonly Spec: RawSpec
  readonly UpdateStatus?: { readonly State?: string; readonly Message?: string }
}

function parseMade(text: string | undefined): StackService | null {
  if (text === undefined) return null
  try {
    return JSON.parse(text) as StackService
  } catch {
    // Somebody wrote over it: the service is not as Longshore made it.
    return null
  }
}
