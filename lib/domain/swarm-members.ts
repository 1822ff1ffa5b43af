import { parseList } from './swarm-inspect.ts'

/** A node as the managers of a Swarm know it. */
export type Member = {
  readonly id: string
  /** Its host name. */
  readonly name: string
  readonly role: string
  /** `ready`, `down`, `unknown`, `disconnected` */
  readonly state: string
  /** `active`, `pause`, `drain` */
  readonly availability: string
  readonly labels: Readonly<Record<string, string>>
  readonly platform: { readonly os: string; readonly architecture: string }
  readonly memoryBytes: number
  readonly nanoCpus: number
  /** Of a manager: `reachable`, `unreachable`, `unknown`; null for a worker. */
  readonly reachability: string | null
}

/** What `docker node inspect` prints. Raises `remote` when it is something else. */
export function parseMembers(text: string): Member[] {
  return parseList<RawMember>(text, 'docker node inspect').map((raw) => {
    const { Hostname, Platform, Resources } = raw.Description ?? {}
    return {
      id: raw.ID,
      name: Hostname ?? raw.ID,
      role: raw.Spec.Role,
      state: raw.Status.State,
      availability: raw.Spec.Availability,
      labels: raw.Spec.Labels ?? {},
      platform: { os: Platform?.OS ?? '', architecture: Platform?.Architecture ?? '' },
      memoryBytes: Resources?.MemoryBytes ?? 0,
      nanoCpus: Resources?.NanoCPUs ?? 0,
      reachability: raw.ManagerStatus?.Reachability ?? null,
    }
  })
}

/** Whether new tasks may be placed on it. */
export function isOpen({ state, availability }: Member): boolean {
  return state === 'ready' && availability === 'active'
}

type RawMember = {
  readonly ID: string
  readonly Spec: {
    readonly Role: string
    readonly Availability: string
    readonly Labels?: Record<string, string>
  }
  readonly Description?: {
    readonly Hostname?: string
    readonly Platform?: { readonly OS: string; readonly Architecture: string }
    readonly Resources?: { readonly MemoryBytes?: number; readonly NanoCPUs?: number }
  }
  readonly Status: { readonly State: string }
  readonly ManagerStatus?: { readonly Reachability?: string }
}
