import {
  parseNodes,
  parseServices,
  parseTasks,
  type SwarmNode,
  type SwarmService,
  type SwarmTask,
} from '../../domain/swarm-inspect.ts'
import {
  inspectNodes,
  inspectServices,
  inspectTasks,
  listNodes,
  listServices,
  listTasks,
} from './docker-argv.ts'
import { describeFailure, type Manager } from './docker-client.ts'

/** Services of a fleet with all their tasks, former ones too, and the nodes of the Swarm. */
export type FleetView = {
  readonly services: readonly SwarmService[]
  readonly tasks: readonly SwarmTask[]
  readonly nodes: readonly SwarmNode[]
}

const GONE = /no such|not found/i

/** The whole fleet at one moment. Raises `remote`. */
export async function readFleet(manager: Manager, fleet: string, signal: AbortSignal): Promise<FleetView> {
  const ids = splitLines(await manager.read(listServices(fleet), { signal }))
  return await readNamed(manager, ids, signal)
}

/** One service, or some, by name or id; what does not exist is left out. */
export async function readNamed(
  manager: Manager,
  names: readonly string[],
  signal: AbortSignal,
): Promise<FleetView> {
  if (names.length === 0) return { services: [], tasks: [], nodes: [] }
  const [services, tasks, nodes] = await Promise.all([
    readServices(manager, names, signal),
    readLoosely(manager, listTasks(names), signal).then((ids) => readTasks(manager, splitLines(ids), signal)),
    readNodes(manager, signal),
  ])
  return { services, tasks, nodes }
}

/** Services by name or id, without their tasks; what does not exist is left out. */
export async function readServices(
  manager: Manager,
  names: readonly string[],
  signal: AbortSignal,
): Promise<SwarmService[]> {
  return parseServices(await readLoosely(manager, inspectServices(names), signal))
}

/** Tasks by id; what does not exist any more is left out. */
export async function readTasks(
  manager: Manager,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<SwarmTask[]> {
  return ids.length === 0 ? [] : parseTasks(await readLoosely(manager, inspectTasks(ids), signal))
}

export async function readNodes(manager: Manager, signal: AbortSignal): Promise<SwarmNode[]> {
  const ids = splitLines(await manager.read(listNodes(), { signal }))
  return parseNodes(await readLoosely(manager, inspectNodes(ids), signal))
}

/** What docker printed of those that it found: one may have gone since it was listed. */
async function readLoosely(manager: Manager, args: readonly string[], signal: AbortSignal): Promise<string> {
  const result = await manager.run(args, { signal })
  const complaints = splitLines(result.stderr)
  if (result.code !== 0 && !complaints.every((line) => GONE.test(line))) throw describeFailure(args, result)
  return result.stdout
}

export function splitLines(text: string): string[] {
  return text.split('\n').filter(Boolean)
}
