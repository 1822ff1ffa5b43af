import { canonicalJson, type Json } from './canonical-json.ts'
import { GPU_KIND } from './gpu-settings.ts'
import type { ServiceKind, ServiceSpec } from './service.ts'
import { gateLabel, LABELS, memberLabel, networkName, TASK_PORTS } from './swarm-names.ts'

/** Without these the runtime gives a container no GPU, or not all that CUDA needs of it. */
const GPU_ENVIRONMENT = { NVIDIA_VISIBLE_DEVICES: 'all', NVIDIA_DRIVER_CAPABILITIES: 'compute,utility' }

type Amounts = { readonly cpus?: string | undefined; readonly memory?: string | undefined }
type Resources = { readonly limits?: Amounts | undefined; readonly reservations?: Amounts | undefined }

/** What a profile says of services that run in a Swarm, beyond their specs. */
export type SwarmSettings = {
  readonly fleet: string
  /** The image of all services, unless the setting IMAGE of a spec names another. */
  readonly image: string
  /** Directory on every node that holds its generations. */
  readonly dataDirectory: string
  /** How a port is published: through the Swarm's routing mesh, or by the nodes on which tasks run. */
  readonly publish: 'ingress' | 'host'
  /** Script of the image that runs a service, given its kind. */
  readonly entry: string
  /** Seconds between two looks at a task's health. */
  readonly healthSeconds: number
  /** How long a replaced task goes on accepting connections, and may take to end. */
  readonly lameDuckSeconds: number
  readonly graceSeconds: number
  /** How long the Swarm watches a task that has become ready, during an update. */
  readonly monitorSeconds: number
  readonly resources?: Partial<Record<ServiceKind, Resources>>
}

/** A service as `docker stack deploy` takes it. */
export type StackService = { readonly [key: string]: Json }

export type Making = {
  readonly settings: SwarmSettings
  /** Nodes of the fleet that the service must not use. */
  readonly excluded: readonly string[]
  /** How long a task may load before bad health counts. */
  readonly loadSeconds: number
}

/** A service of the Swarm by its spec, without labels. The same arguments make the same bytes. */
export function renderService(spec: ServiceSpec, { settings, excluded, loadSeconds }: Making): StackService {
  const { fleet, image, entry, healthSeconds, graceSeconds } = settings
  return {
    image: spec.settings.IMAGE ?? image,
    entrypoint: ['node', entry],
    command: [spec.kind],
    environment: renderEnvironment(spec, settings),
    read_only: true,
    cap_drop: ['ALL'],
    networks: spec.isApart ? { apart: {} } : { fleet: {} },
    volumes: [
      ...(spec.kind === 'extraction'
        ? []
        : [{ type: 'bind', source: settings.dataDirectory, target: '/data', read_only: true }]),
      { type: 'tmpfs', target: '/tmp' },
    ],
    healthcheck: {
      test: ['CMD', 'node', 'services/ask.mjs', '/readyz'],
      interval: seconds(healthSeconds),
      timeout: '5s',
      retries: 3,
      start_period: seconds(loadSeconds),
    },
    stop_grace_period: seconds(graceSeconds),
    ...renderPort(spec, settings),
    deploy: {
      mode: 'replicated',
      replicas: spec.replicas,
      endpoint_mode: isMeshed(spec, settings) ? 'vip' : 'dnsrr',
      placement: { constraints: renderConstraints(spec, fleet, excluded) },
      restart_policy: { condition: 'any', delay: '2s' },
      ...renderPolicies(spec, settings),
      ...renderResources(spec, settings),
    },
  }
}

/** The stack file, as JSON, that makes or changes one service and leaves all others alone. */
export function renderStack(
  spec: ServiceSpec,
  made: StackService,
  { fleet, fence }: { readonly fleet: string; readonly fence: number },
): string {
  const labels = {
    [LABELS.fleet]: fleet,
    [LABELS.spec]: canonicalJson(spec as unknown as Json),
    [LABELS.made]: canonicalJson(made),
    [LABELS.fence]: String(fence),
  }
  const deploy = { ...(made.deploy as Record<string, Json>), labels }
  return JSON.stringify(assembleStack({ [spec.name]: { ...made, deploy } }, fleet))
}

/** A stack file of these services, in the network of their fleet or in none that nodes share. */
export function assembleStack(services: Readonly<Record<string, StackService>>, fleet: string): StackService {
  const isApart = ({ networks }: StackService) => Object.hasOwn((networks ?? {}) as object, 'apart')
  const networks = {
    fleet: { external: true, name: networkName(fleet) },
    // A service that names no network would get one of its own; each engine has this one.
    ...(Object.values(services).some(isApart) && { apart: { external: true, name: 'bridge' } }),
  }
  return escapeVariables({ version: '3.8', services, networks }) as StackService
}

/** `{{.Task.ID}}` and the like are filled in by the Swarm. */
function renderEnvironment(spec: ServiceSpec, settings: SwarmSettings): Record<string, string> {
  const { IMAGE: _image, ...own } = spec.settings
  const literal = Object.entries(own).map(([key, value]) => [key, value.replaceAll('{{', '{{"{{"}}')])
  return {
    ...Object.fromEntries(literal),
    HOST: '0.0.0.0',
    PORT: String(TASK_PORTS[spec.kind]),
    NODE_NAME: '{{.Node.Hostname}}',
    TASK_ID: `${spec.name}.{{.Task.Slot}}.{{.Task.ID}}`,
    DATA_DIR: '/data',
    GENERATIONS: spec.generations.map(({ name, digest }) => `${name}@${digest}`).join(','),
    ...(spec.isOnGpu && GPU_ENVIRONMENT),
    LAME_DUCK_MS: String(settings.lameDuckSeconds * 1000),
    GRACE_MS: String((settings.graceSeconds - settings.lameDuckSeconds - 1) * 1000),
    ...(spec.kind === 'gateway' && { ENDPOINTS_DNS: `tasks.${settings.fleet}_` }),
    ...(spec.cluster !== undefined && { CLUSTER: String(spec.cluster) }),
  }
}

/** A data gate for every generation: no task is placed where what it reads of one of them has not been delivered whole. */
function renderConstraints(spec: ServiceSpec, fleet: string, excluded: readonly string[]): string[] {
  const gates = spec.generations.map((generation) => gateLabel(fleet, spec, generation))
  return [
    `node.labels.${memberLabel(fleet)}==member`,
    ...gates.map(({ key, value }) => `node.labels.${key}==${value}`),
    ...excluded.toSorted().map((name) => `node.hostname!=${name}`),
  ]
}

/** A GPU is a generic resource of a node: the Swarm counts who has which. */
function renderResources({ kind, isOnGpu }: ServiceSpec, { resources }: SwarmSettings): Record<string, Json> {
  const amounts = resources?.[kind]
  if (!isOnGpu) return amounts ? { resources: amounts as Json } : {}
  const gpus = [{ discrete_resource_spec: { kind: GPU_KIND, value: 1 } }]
  const reservations = { ...amounts?.reservations, generic_resources: gpus }
  return { resources: { ...amounts, reservations } as Json }
}

function renderPolicies(spec: ServiceSpec, settings: SwarmSettings): Record<string, Json> {
  const order = renderOrder(spec, settings)
  // Gateways move together: each takes traffic only once its own canary queries pass, and going back shall be quick.
  const parallelism = spec.kind === 'gateway' && order === 'start-first' ? 0 : 1
  const policy = { parallelism, delay: '0s', order, max_failure_ratio: 0 }
  const monitor = seconds(settings.monitorSeconds)
  return {
    update_config: { ...policy, failure_action: 'rollback', monitor },
    rollback_config: { ...policy, failure_action: 'pause', monitor: '1s' },
  }
}

/** Beside the old one, unless the spec says otherwise or no node is left on which the new task could have its port, or a GPU: that would wait for ever. */
function renderOrder(spec: ServiceSpec, { publish }: SwarmSettings): 'start-first' | 'stop-first' {
  const isCrowded = spec.port && publish === 'host' && spec.replicas >= spec.nodes.length
  return spec.order ?? (isCrowded || spec.isOnGpu ? 'stop-first' : 'start-first')
}

function renderPort(spec: ServiceSpec, { publish }: SwarmSettings): Record<string, Json> {
  if (!spec.port) return {}
  const target = TASK_PORTS[spec.kind]
  return { ports: [{ target, published: spec.port, protocol: 'tcp', mode: publish }] }
}

function isMeshed({ port }: ServiceSpec, { publish }: SwarmSettings): boolean {
  return Boolean(port) && publish === 'ingress'
}

function seconds(amount: number): string {
  return `${Math.round(amount * 1000)}ms`
}

/** `docker stack deploy` replaces `$NAME` by the environment of whoever runs it; `$$` is a dollar. */
function escapeVariables(value: Json): Json {
  return mapTexts(value, (text) => text.replaceAll('$', '$$$$'))
}

/** The same value with every text in it replaced, keys aside. */
export function mapTexts(value: Json, map: (text: string) => string): Json {
  if (typeof value === 'string') return map(value)
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, map))
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, mapTexts(member as Json, map)]),
  )
}
