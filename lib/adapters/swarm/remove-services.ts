import { hasEnded } from '../../domain/swarm-progress.ts'
import { pause } from '../process/pause.ts'
import { removeServices } from './docker-argv.ts'
import { describeFailure } from './docker-client.ts'
import { type Engine, readFence, readService } from './engine-parts.ts'
import { type FleetView, readTasks } from './read-fleet.ts'

const POLL_MS = 400

/** Removes a service and waits until its tasks have ended; succeeds when there is none. */
export async function removeService(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
  await removeAll(engine, await readService(engine, name, signal), signal)
}

/** Removes services and waits until their tasks have ended; one on a node that is down cannot be waited for. */
export async function removeAll(engine: Engine, view: FleetView, signal: AbortSignal): Promise<void> {
  const { manager } = engine
  if (view.services.length === 0) return
  const fence = await readFence(engine, signal)
  const args = removeServices(view.services.map(({ id }) => id))
  const result = await manager.run(args, { signal, fence })
  if (result.code !== 0 && !/no such|not found/i.test(result.stderr)) throw describeFailure(args, result)
  const down = view.nodes.filter(({ isDown }) => isDown).map(({ id }) => id)
  let left = view.tasks.filter((task) => !hasEnded(task)).map(({ id }) => id)
  while (left.length > 0) {
    const tasks = await readTasks(manager, left, signal)
    left = tasks.filter((task) => !hasEnded(task) && !down.includes(task.nodeId ?? '')).map(({ id }) => id)
    if (left.length > 0) await pause(POLL_MS, signal)
  }
}
