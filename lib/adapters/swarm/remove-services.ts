import { LongshoreError } from '../../domain/errors.ts'
import type { SwarmNode, SwarmTask } from '../../domain/swarm-inspect.ts'
import { hasEnded } from '../../domain/swarm-progress.ts'
import { pause } from '../process/pause.ts'
import { removeServices } from './docker-argv.ts'
import { describeFailure } from './docker-client.ts'
import { type Engine, endingMs, readFence, readService } from './engine-parts.ts'
import { type FleetView, readNodes, readTasks } from './read-fleet.ts'

const POLL_MS = 400

/** Removes a service and waits until its tasks have ended; succeeds when there is none. */
export async function removeService(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
  await removeAll(engine, await readService(engine, name, signal), signal)
}

/** Removes services and waits until their tasks have ended. Raises `remote`, also when some do not end in their time. */
export async function removeAll(engine: Engine, view: FleetView, signal: AbortSignal): Promise<void> {
  const { manager } = engine
  if (view.services.length === 0) return
  const fence = await readFence(engine, signal)
  const args = removeServices(view.services.map(({ id }) => id))
  const result = await manager.run(args, { signal, fence })
  if (result.code !== 0 && !/no such|not found/i.test(result.stderr)) throw describeFailure(args, result)
  await waitForEnd(engine, view, signal)
}

/** A task on a node that is down, or goes down meanwhile, cannot be waited for. */
async function waitForEnd(engine: Engine, view: FleetView, signal: AbortSignal): Promise<void> {
  const { manager } = engine
  const end = performance.now() + endingMs(engine)
  let { nodes } = view
  let left = view.tasks.filter((task) => isRunning(task, nodes))
  while (left.length > 0) {
    if (performance.now() > end) throw describeLeft(left, nodes)
    await pause(POLL_MS, signal)
    const ids = left.map(({ id }) => id)
    const now = await Promise.all([readTasks(manager, ids, signal), readNodes(manager, signal)])
    nodes = now[1]
    left = now[0].filter((task) => isRunning(task, nodes))
  }
}

function isRunning(task: SwarmTask, nodes: readonly SwarmNode[]): boolean {
  return !hasEnded(task) && !nodes.some(({ id, isDown }) => isDown && id === task.nodeId)
}

function describeLeft(left: readonly SwarmTask[], nodes: readonly SwarmNode[]): LongshoreError {
  const names = nodes.filter(({ id }) => left.some(({ nodeId }) => nodeId === id)).map(({ name }) => name)
  const where = names.length > 0 ? ` on ${names.join(', ')}` : ''
  return new LongshoreError('remote', `${left.length} tasks of removed services do not end${where}`, {
    hint: 'see what docker ps shows there, then run the same command again',
    blame: 'fleet',
  })
}
