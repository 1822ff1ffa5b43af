import { LABELS, networkName } from '../../domain/swarm-names.ts'

export function listServices(fleet: string): string[] {
  return ['service', 'ls', '--quiet', '--filter', `label=${LABELS.fleet}=${fleet}`]
}

export function inspectServices(names: readonly string[]): string[] {
  return ['service', 'inspect', ...names]
}

/** Ids of all tasks, former ones too. */
export function listTasks(services: readonly string[]): string[] {
  return ['service', 'ps', '--quiet', '--no-trunc', ...services]
}

export function inspectTasks(ids: readonly string[]): string[] {
  return ['inspect', '--type', 'task', ...ids]
}

export function listNodes(): string[] {
  return ['node', 'ls', '--quiet']
}

export function inspectNodes(ids: readonly string[]): string[] {
  return ['node', 'inspect', ...ids]
}

export function addNodeLabels(node: string, labels: Readonly<Record<string, string>>): string[] {
  const flags = Object.entries(labels).flatMap(([key, value]) => ['--label-add', `${key}=${value}`])
  return ['node', 'update', ...flags, node]
}

export function removeNodeLabels(node: string, keys: readonly string[]): string[] {
  return ['node', 'update', ...keys.flatMap((key) => ['--label-rm', key]), node]
}

/** Reads a stack file from stdin. Images are taken as they are named: asking a registry would hold up every change. */
export function deployStack(fleet: string): string[] {
  return ['stack', 'deploy', '--resolve-image', 'never', '--with-registry-auth', '--compose-file', '-', fleet]
}

/**
 * Takes away the label by which `stack deploy` tells that an image has not changed: it then leaves the image that it
 * finds, which somebody may have changed by hand.
 */
export function forgetImage(service: string): string[] {
  return ['service', 'update', '--quiet', '--detach', '--label-rm', 'com.docker.stack.image', service]
}

export function removeServices(names: readonly string[]): string[] {
  return ['service', 'rm', ...names]
}

export function listNetworks(fleet: string): string[] {
  return ['network', 'ls', '--quiet', '--filter', `name=^${networkName(fleet)}$`]
}

export function createNetwork(fleet: string): string[] {
  const label = `${LABELS.fleet}=${fleet}`
  return ['network', 'create', '--driver', 'overlay', '--attachable', '--label', label, networkName(fleet)]
}

export function listConfigs(prefix: string): string[] {
  return ['config', 'ls', '--filter', `name=${prefix}`, '--format', '{{json .Name}}']
}

export function inspectConfig(name: string): string[] {
  return ['config', 'inspect', name]
}

/** Reads the contents from stdin; fails when the name is taken, whoever was first. */
export function createConfig(
  name: string,
  { fleet, fence }: { readonly fleet: string; readonly fence: number },
): string[] {
  const labels = [`${LABELS.fleet}=${fleet}`, `${LABELS.fence}=${fence}`]
  return ['config', 'create', ...labels.flatMap((label) => ['--label', label]), name, '-']
}

export function removeConfigs(names: readonly string[]): string[] {
  return ['config', 'rm', ...names]
}

/** The clock of the manager that is asked. */
export function readClock(): string[] {
  return ['info', '--format', '{{json .SystemTime}}']
}

export function askInside(container: string, path: string): string[] {
  return ['exec', container, 'node', 'services/ask.mjs', path]
}

/** A connection to the task's own port, by stdin and stdout. */
export function pipeInside(container: string): string[] {
  return ['exec', '--interactive', container, 'node', 'services/pipe.mjs']
}

/** How a container stands, and what its last health checks printed. */
export function inspectState(container: string): string[] {
  return ['inspect', '--type', 'container', '--format', '{{json .State}}', container]
}

export function readLog(container: string): string[] {
  return ['logs', '--tail', '40', container]
}

/** Versions of the command and of the engine behind it. */
export function readVersions(): string[] {
  return ['version', '--format', '{{json .}}']
}

export function readInfo(): string[] {
  return ['info', '--format', '{{json .}}']
}

export function inspectImage(image: string): string[] {
  return ['image', 'inspect', image]
}

export function listPublishers(port: number): string[] {
  return ['ps', '--no-trunc', '--filter', `publish=${port}`, '--format', '{{json .}}']
}

export function listAllServices(): string[] {
  return ['service', 'ls', '--quiet']
}
