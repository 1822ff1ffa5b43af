import { findStartTime, parseTaskTimes, type StartTime } from '../../domain/examine-timing.ts'
import { filterFleet, type Making, parseMakings } from '../../domain/swarm-making.ts'
import { type Member, parseMembers } from '../../domain/swarm-members.ts'
import {
  inspectNodes,
  inspectServices,
  inspectTasks,
  listAllServices,
  listNodes,
  listTasks,
} from './docker-argv.ts'
import type { Manager } from './docker-client.ts'
import { splitLines } from './read-fleet.ts'

/** Everything that the managers of a Swarm tell. */
export type SwarmFacts = {
  readonly members: readonly Member[]
  /** Services of everybody. */
  readonly services: readonly Making[]
  /** Those of the fleet. */
  readonly own: readonly Making[]
  readonly starts: readonly StartTime[]
}

const PATIENCE_MS = 2000

/** Asks whichever manager answers. Raises `remote` when none does. */
export async function readSwarm(manager: Manager, fleet: string, signal: AbortSignal): Promise<SwarmFacts> {
  const options = { signal, patienceMs: PATIENCE_MS }
  // What went away since it was listed is left out of what is printed.
  const inspect = async (list: readonly string[], toArgv: (ids: readonly string[]) => string[]) => {
    const ids = splitLines(await manager.read(list, options))
    return ids.length === 0 ? '[]' : (await manager.run(toArgv(ids), options)).stdout
  }
  const [members, services] = await Promise.all([
    inspect(listNodes(), inspectNodes).then(parseMembers),
    inspect(listAllServices(), inspectServices).then(parseMakings),
  ])
  const own = filterFleet(services, fleet)
  const ids = own.map(({ id }) => id)
  const times = ids.length === 0 ? [] : parseTaskTimes(await inspect(listTasks(ids), inspectTasks))
  const starts = own.flatMap(({ id, name }) =>
    findStartTime(
      name,
      times.filter(({ serviceId }) => serviceId === id),
    ),
  )
  return { members, services, own, starts }
}
