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

export function addNodeLabel(node: string, key: string, value: string): string[] {
  return ['node', 'update', '--label-add', `${key}=${value}`, node]
}

export function removeNodeLabel(node: string, key: string): string[] {
  return ['node', 'update', '--label-rm', key, node]
}

/** Reads a stack file from stdin. Images are taken as they are named: asking a registry would hold up every change. */
export function deployStack(fleet: string): string[] {
  return ['stack', 'deploy', '--resolve-image', 'never', '--with-registry-auth', '--compose-file', '-', fleet]
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
export function createConfig(name: string, fleet: string): string[] {
  return ['config', 'create', '--label', `${LABELS.fleet}=${fleet}`, name, '-']
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

/** How a container stands, and what its last health checks printed. */
export function inspectState(container: string): string[] {
  return ['inspect', '--type', 'container', '--format', '{{json .State}}', container]
}

export function readLog(container: string): string[] {
  return ['logs', '--tail', '40', container]
}
