import { LongshoreError } from '../../domain/errors.ts'
import type { Task } from '../../domain/service.ts'
import type { SwarmTask } from '../../domain/swarm-inspect.ts'
import type { Place } from './ask-task.ts'
import type { Engine } from './engine-parts.ts'
import { readNodes, readTasks } from './read-fleet.ts'
import { readWords } from './task-words.ts'

/** Where a task runs now, and what the Swarm says of it. Raises `remote` when it does not run. */
export async function findContainer(
  { shell, manager }: Pick<Engine, 'shell' | 'manager'>,
  task: Task,
  signal: AbortSignal,
): Promise<Place & { readonly found: SwarmTask }> {
  const where = `${task.id} on ${task.node}`
  const id = task.id.split('.').at(-1)!
  const [[found], nodes] = await Promise.all([readTasks(manager, [id], signal), readNodes(manager, signal)])
  const node = nodes.find((one) => one.id === found?.nodeId)?.name
  if (!found?.container || node === undefined || found.state !== 'running') {
    const words = found && (await readWords(found, { shell, node }, signal))
    throw new LongshoreError('remote', `${where} does not run`, { blame: words?.blame })
  }
  return { shell, where, node, container: found.container, found }
}
