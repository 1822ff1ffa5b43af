import { type Finding, fail, orOk, warn } from './finding.ts'
import { type GpuNode, type GpuService, isInteger, type NodeResource, splitPair } from './gpu-settings.ts'

const CHECK = 'gpu'
const DAEMON = '/etc/docker/daemon.json'
const RUNTIME = '/etc/nvidia-container-runtime/config.toml'

/**
 * Findings on nodes and services whose settings would give a task no GPU, the wrong one, or all of them. Sources: NVIDIA's
 * container toolkit (HookConfig.SwarmResource, issue 57), swarmkit (genericresource), docker/cli#3051, moby#44378.
 */
export function examineGpus(nodes: readonly GpuNode[], services: readonly GpuService[]): Finding[] {
  if (!nodes.some(hasGpus) && !services.some(isOnGpu)) return []
  const findings = [...nodes.flatMap(examineNode), ...services.flatMap(examineService)]
  const names = [...nodes.filter(hasGpus), ...services.filter(isOnGpu)].map(({ name }) => name)
  return orOk(findings, CHECK, `settings give ${names.join(', ')} the GPUs that they should`)
}

/**
 * Warnings of services that reserve GPUs: Swarms take such tasks for misplaced whenever a label of their node changes. Source:
 * swarmkit, manager/orchestrator/constraintenforcer.
 */
export function examineNodeUpdates(services: readonly GpuService[]): Finding[] {
  const detail =
    'the Swarm ends its tasks and starts others whenever a label of their node changes, as by each delivery'
  const hint =
    'a run bears that; for queries set device: cpu, or name a server outside of the Swarm in extraction.url'
  return services
    .filter(({ resources }) => resources.some(isOfGpuPair))
    .map(({ name }) => warn(CHECK, `${name}: ${detail}`, hint))
}

function examineNode(node: GpuNode): Finding[] {
  return node.resources.filter(isOfGpus).flatMap((resource) => {
    const wrong = examineValues(node.name, resource)
    const stale = wrong.length > 0 ? [] : examineOffer(node, resource)
    return [...wrong, ...stale, ...examineRuntime(node, resource)]
  })
}

/** An engine reads its file once, and the Swarm knows what it read. */
function examineOffer({ name, offered }: GpuNode, { kind, values }: NodeResource): Finding[] {
  const own = offered?.find((other) => other.kind === kind)?.values ?? []
  if (offered === null || own.toSorted().join() === values.toSorted().join()) return []
  const detail = `${name}: ${DAEMON} says ${kind}=${values.join(', ')}, the engine offers ${own.join(', ') || 'none'}`
  return [fail(CHECK, detail, 'restart docker there')]
}

function examineValues(node: string, { kind, values }: NodeResource): Finding[] {
  const written = values.map((value) => `${kind}=${value}`).join(', ')
  const hint = `in ${DAEMON} name each GPU by the UUID that nvidia-smi -L tells: "${kind}=GPU-..."`
  if (values.length > 1 && values.some(isInteger)) {
    return [fail(CHECK, `${node}: the engine takes no list of numbers: ${written}`, hint)]
  }
  const [value = ''] = values
  if (isInteger(value) && Number(value) < 1) {
    return [fail(CHECK, `${node}: ${written} is a number of GPUs, none, and not the first one`, hint)]
  }
  return []
}

function examineRuntime(
  { name, isDefaultRuntime, swarmResource }: GpuNode,
  { kind }: NodeResource,
): Finding[] {
  const findings: Finding[] = []
  if (!isDefaultRuntime) {
    const detail = `${name}: NVIDIA's runtime is not the default one, and a service cannot ask for it`
    findings.push(fail(CHECK, detail, `set "default-runtime": "nvidia" in ${DAEMON}, and restart docker`))
  }
  const variable = variableOf(kind)
  if (swarmResource.length === 0) {
    const detail = `${name}: swarm-resource is not set, so that the GPU which the Swarm assigns is ignored`
    findings.push(fail(CHECK, detail, `set swarm-resource = "${variable}" at the top of ${RUNTIME}`))
  } else if (!swarmResource.includes(variable)) {
    const detail = `${name}: tasks are told their GPU in ${variable}, the runtime reads ${swarmResource.join(', ')}: they see all GPUs`
    const hint = `name the kind gpu in ${DAEMON}, or set swarm-resource = "${variable}" in ${RUNTIME}`
    findings.push(fail(CHECK, detail, hint))
  }
  return findings
}

function examineService(service: GpuService): Finding[] {
  const { name, resources, hasDevices, order, visibleDevices, constraints } = service
  if (!isOnGpu(service)) return []
  const findings = resources.filter(isOfGpuPair).flatMap((resource) => examineRequest(name, resource))
  const isExclusive = resources.some(isOfGpuPair)
  if (hasDevices) {
    const detail = `${name}: a Swarm takes neither gpus nor reservations.devices`
    const hint = 'write generic_resources: [{discrete_resource_spec: {kind: gpu, value: 1}}]'
    findings.push(fail(CHECK, detail, hint))
  }
  if (isExclusive && order === 'start-first') {
    const detail = `${name}: with order start-first the next task waits for the GPU that the former one holds`
    findings.push(fail(CHECK, detail, 'set update_config.order: stop-first, or keep a GPU spare'))
  }
  if (visibleDevices === undefined) {
    const detail = `${name}: without NVIDIA_VISIBLE_DEVICES in its image or environment it gets no GPU`
    findings.push(fail(CHECK, detail, 'set NVIDIA_VISIBLE_DEVICES: all in the environment of the service'))
  }
  if (!isExclusive && constraints.some(isGpuLabel)) {
    const detail = `${name}: is placed by a label, so that other services may take the same GPU`
    findings.push(warn(CHECK, detail, 'reserve a generic resource, unless its replicas are to share a card'))
  }
  return findings
}

function examineRequest(name: string, resource: string): Finding[] {
  const [kind, value] = splitPair(resource)
  const hint = `ask for how many: ${kind}=1`
  if (!isInteger(value)) {
    return [fail(CHECK, `${name}: ${resource} names a GPU, and services may only ask for a number`, hint)]
  }
  if (Number(value) >= 1) return []
  const detail = `${name}: ${resource} reserves none where a node counts its GPUs, and takes all where it names them`
  return [fail(CHECK, detail, hint)]
}

/** What swarmkit calls the variable in which a task finds what it was assigned. */
function variableOf(kind: string): string {
  return `DOCKER_RESOURCE_${kind.toUpperCase()}`
}

function hasGpus({ resources }: GpuNode): boolean {
  return resources.some(isOfGpus)
}

function isOnGpu({ resources, hasDevices, constraints }: GpuService): boolean {
  return hasDevices || resources.some(isOfGpuPair) || constraints.some(isGpuLabel)
}

function isOfGpus({ kind }: NodeResource): boolean {
  return /gpu/i.test(kind)
}

function isOfGpuPair(resource: string): boolean {
  return /gpu/i.test(splitPair(resource)[0])
}

function isGpuLabel(constraint: string): boolean {
  return /^\s*node\.labels\.[^=!\s]*gpu[^=!\s]*\s*==/i.test(constraint)
}
