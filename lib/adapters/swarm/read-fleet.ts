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
import { type AskOptions, describeFailure, type Manager } from './docker-client.ts'

/** Services of a fleet with all their tasks, former ones too, and the nodes of the Swarm. */
export type FleetView = {
  readonly services: readonly SwarmService[]
  readonly tasks: readonly SwarmTask[]
  readonly nodes: readonly SwarmNode[]
}

const GONE = /no such|not found/i

/** The whole fleet at one moment. Raises `remote`. */
export async function readFleet(manager: Manager, fleet: string, signal: AbortSignal): Promise<FleetView> {
  const own = listServices(fleet)
  const [services, tasks, nodes] = await Promise.all([
    readLoosely(manager, inspectServices([]), { signal, each: [own] }).then(parseServices),
    readLoosely(manager, inspectTasks([]), { signal, each: [listTasks([]), own] }).then(parseTasks),
    readNodes(manager, signal),
  ])
  return { services, tasks, nodes }
}

/** One service, or some, by name or id; what does not exist is left out. */
export async function readNamed(
  manager: Manager,
  names: readonly string[],
  signal: AbortSignal,
): Promise<FleetView> {
  if (names.length === 0) return { services: [], tasks: [], nodes: [] }
  const [services, tasks, nodes] = await Promise.all([
    readLoosely(manager, inspectServices(names), { signal }).then(parseServices),
    readLoosely(manager, inspectTasks([]), { signal, each: [listTasks(names)] }).then(parseTasks),
    readNodes(manager, signal),
  ])
  return { services, tasks, nodes }
}

/** Tasks by id; what does not exist any more is left out. */
export async function readTasks(
  manager: Manager,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<SwarmTask[]> {
  return ids.length === 0 ? [] : parseTasks(await readLoosely(manager, inspectTasks(ids), { signal }))
}

export async function readNodes(manager: Manager, signal: AbortSignal): Promise<SwarmNode[]> {
  return parseNodes(await readLoosely(manager, inspectNodes([]), { signal, each: [listNodes()] }))
}

/** What docker printed of those that it found: one may have gone since it was listed. */
async function readLoosely(manager: Manager, args: readonly string[], options: AskOptions): Promise<string> {
  const result = await manager.run(args, options)
  const complaints = splitLines(result.stderr)
  if (result.code !== 0 && !complaints.every((line) => GONE.test(line))) throw describeFailure(args, result)
  return result.stdout || '[]'
}

export function splitLines(text: string): string[] {
  return text.split('\n').filter(Boolean)
}
