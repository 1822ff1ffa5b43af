/** A generic resource that an engine's settings give a node: some of a kind, or named ones. */
export type NodeResource = {
  readonly kind: string
  /** As written behind `=`: a number or a name. */
  readonly values: readonly string[]
}

/** The kind by which nodes offer GPUs to our services: its variable for tasks is the one that NVIDIA's runtime is told to read. */
export const GPU_KIND = 'gpu'

/** A generic resource as engines and managers print it: each named one by itself, or a number of a kind. */
export type RawResource = {
  readonly NamedResourceSpec?: { readonly Kind: string; readonly Value: string }
  readonly DiscreteResourceSpec?: { readonly Kind: string; readonly Value: number }
}

/** What an engine says of itself, whatever stands in files by now. */
export type EngineOffer = { readonly resources: readonly NodeResource[]; readonly defaultRuntime: string }

/** What stands about GPUs in a node's files. */
export type GpuNode = {
  readonly name: string
  /** As written, or where nothing is written, as the engine was told otherwise. */
  readonly resources: readonly NodeResource[]
  /** What the engine offers; null where it does not answer. */
  readonly offered: readonly NodeResource[] | null
  /** Whether containers get NVIDIA's runtime without asking for it. */
  readonly isDefaultRuntime: boolean
  /** The variables that NVIDIA's runtime reads a task's GPUs from; none while the line is a comment. */
  readonly swarmResource: readonly string[]
}

/** The texts of `/etc/docker/daemon.json` and of `/etc/nvidia-container-runtime/config.toml`; empty where there is none. */
export type GpuFiles = { readonly name: string; readonly daemon: string; readonly runtime: string }

/** What a service says of GPUs, in a stack file or on the command line. */
export type GpuService = {
  readonly name: string
  /** As `--generic-resource` takes them: `KIND=VALUE`. */
  readonly resources: readonly string[]
  /** Whether it has `gpus` or `reservations.devices`, which a Swarm does not take. */
  readonly hasDevices: boolean
  readonly order: string
  /** NVIDIA_VISIBLE_DEVICES of the service or its image. */
  readonly visibleDevices: string | undefined
  readonly constraints: readonly string[]
}

/** The generic resources that an engine really has, by kind. */
export function describeResources(raw: readonly RawResource[] | null | undefined): NodeResource[] {
  const specs = (raw ?? []).flatMap((one) => one.NamedResourceSpec ?? one.DiscreteResourceSpec ?? [])
  return groupByKind(specs.map(({ Kind, Value }) => `${Kind}=${Value}`))
}

/** How many GPUs services may ask for. */
export function countGpus(raw: readonly RawResource[] | null | undefined): number {
  const values = describeResources(raw).find(({ kind }) => kind === GPU_KIND)?.values ?? []
  return values.reduce((sum, value) => sum + (isInteger(value) ? Number(value) : 1), 0)
}

/** Reads what `docker info` printed as JSON; null where it is none: why an engine does not answer is told by others. */
export function parseEngineOffer({ code, stdout }: { code: number; stdout: string }): EngineOffer | null {
  if (code !== 0 || !stdout.trim().startsWith('{')) return null
  const info = JSON.parse(stdout) as { GenericResources?: RawResource[] | null; DefaultRuntime?: string }
  return { resources: describeResources(info.GenericResources), defaultRuntime: info.DefaultRuntime ?? '' }
}

/** Reads what the files of a node, and its engine, say of GPUs. Raises SyntaxError for a daemon.json that is no JSON. */
export function parseGpuNode({ name, daemon, runtime }: GpuFiles, offer: EngineOffer | null = null): GpuNode {
  const settings = (daemon.trim() === '' ? {} : JSON.parse(daemon)) as Record<string, unknown>
  const [top = ''] = runtime.split(/^[ \t]*\[/m)
  const line = /^[ \t]*swarm-resource[ \t]*=[ \t]*["']([^"'\n]*)["']/m.exec(top)?.[1] ?? ''
  const written = groupByKind(listTexts(settings['node-generic-resources']))
  return {
    name,
    resources: written.length > 0 ? written : (offer?.resources ?? []),
    offered: offer?.resources ?? null,
    isDefaultRuntime: (offer?.defaultRuntime || settings['default-runtime']) === 'nvidia',
    swarmResource: line.split(',').flatMap((variable) => variable.trim() || []),
  }
}

/** Reads what a service of a stack file says of GPUs; `image` is the environment of its image. */
export function parseGpuService(
  name: string,
  definition: unknown,
  image: Readonly<Record<string, string>> = {},
): GpuService {
  const { deploy, gpus, environment } = asObject(definition)
  const { resources, update_config: update, placement } = asObject(deploy)
  const reservations = asObject(asObject(resources).reservations)
  const asked = Array.isArray(reservations.generic_resources) ? reservations.generic_resources : []
  const discrete = asked.map((entry) => asObject(asObject(entry).discrete_resource_spec))
  const own = Array.isArray(environment)
    ? Object.fromEntries(listTexts(environment).map((line) => splitPair(line)))
    : asObject(environment)
  const visible = own.NVIDIA_VISIBLE_DEVICES ?? image.NVIDIA_VISIBLE_DEVICES
  return {
    name,
    resources: discrete.map(({ kind, value }) => `${kind}=${value}`),
    hasDevices: gpus !== undefined || reservations.devices !== undefined,
    // What Docker does where nothing is said.
    order: String(asObject(update).order ?? 'stop-first'),
    visibleDevices: visible === undefined ? undefined : String(visible),
    constraints: listTexts(asObject(placement).constraints),
  }
}

/** `KIND=VALUE` apart; without `=`, the value is empty. */
export function splitPair(text: string): [string, string] {
  const [kind = '', ...rest] = text.split('=')
  return [kind, rest.join('=')]
}

export function isInteger(value: string): boolean {
  return /^-?\d+$/.test(value)
}

function groupByKind(entries: readonly string[]): NodeResource[] {
  const kinds = new Map<string, string[]>()
  for (const [kind, value] of entries.map(splitPair)) kinds.set(kind, [...(kinds.get(kind) ?? []), value])
  return [...kinds].map(([kind, values]) => ({ kind, values }))
}

function listTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : []
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
