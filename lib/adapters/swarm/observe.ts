import { messageOf } from '../../domain/errors.ts'
import type { GenerationRef } from '../../domain/generation.ts'
import type { ServiceState, Task } from '../../domain/service.ts'
import type { SwarmNode, SwarmService, SwarmTask } from '../../domain/swarm-inspect.ts'
import { hasEnded, isLeaving, isWanted } from '../../domain/swarm-progress.ts'
import type { RemoteShell } from '../../ports/remote-shell.ts'
import { askContainer } from './ask-task.ts'
import type { FleetView } from './read-fleet.ts'
import { readWords } from './task-words.ts'

/** How long a task may take to say what it serves, and its engine then to say why it does not: doctor waits for both. */
const STATUS_MS = 6000
const WORDS_MS = 3000

/** Every service with its tasks, each asked from inside what it serves. */
export async function observeServices(
  view: FleetView,
  shell: RemoteShell,
  signal: AbortSignal,
): Promise<ServiceState[]> {
  return await Promise.all(
    view.services.map(async (service) => ({
      spec: service.spec,
      tasks: await observeTasks(service, view, { shell, signal }),
    })),
  )
}

type Means = { readonly shell: RemoteShell; readonly signal: AbortSignal }

export async function observeTasks(service: SwarmService, view: FleetView, means: Means): Promise<Task[]> {
  const own = view.tasks.filter(({ serviceId }) => serviceId === service.id)
  const living = own
    .filter((task) => isWanted(task) || isLeaving(task, view.nodes))
    .toSorted((a, b) => a.slot - b.slot || (a.id < b.id ? -1 : 1))
  return await Promise.all(
    living.map((task) =>
      observeTask(task, { service, nodes: view.nodes, former: findFormer(task, own) }, means),
    ),
  )
}

/** The name of a task: the Swarm's own identifier comes last. */
export function taskName(service: string, { slot, id }: SwarmTask): string {
  return `${service}.${slot}.${id}`
}

type Surroundings = {
  readonly service: SwarmService
  readonly nodes: readonly SwarmNode[]
  /** The task that was in its place before and failed. */
  readonly former: SwarmTask | undefined
}

async function observeTask(
  task: SwarmTask,
  { service, nodes, former }: Surroundings,
  { shell, signal }: Means,
): Promise<Task> {
  const host = nodes.find(({ id }) => id === task.nodeId)
  const node = host?.name ?? ''
  const id = taskName(service.spec.name, task)
  const state = isLeaving(task, nodes) ? 'draining' : task.state === 'running' ? 'ready' : 'starting'
  const facts = { id, node, generations: [] }
  if (host?.isDown) return { ...facts, state: 'failed', problem: `its node ${node} is down`, isLost: true }
  if (state === 'starting' || !task.container) {
    // A node that is down would only be waited for.
    const at = nodes.find(({ id, isDown }) => id === former?.nodeId && !isDown)?.name
    const before = former && (await readWords(former, { shell, node: at, limitMs: WORDS_MS }, signal))
    const problem = task.problem ?? before?.text
    return {
      ...facts,
      state: 'starting',
      ...(problem && { problem }),
      ...(before?.blame && { isLost: true }),
    }
  }
  try {
    const place = { shell, where: `${id} on ${node}`, node, container: task.container }
    const options = { signal, timeoutMs: STATUS_MS }
    const { generations = [] } = (await askContainer(place, '/v1/status', options)) as {
      generations?: GenerationRef[]
    }
    return { id, node, state, generations: generations.map(({ name, digest }) => ({ name, digest })) }
  } catch (error) {
    signal.throwIfAborted()
    if (state === 'draining') return { ...facts, state }
    const { blame } = await readWords(task, { shell, node, limitMs: WORDS_MS }, signal)
    return { ...facts, state: 'failed', problem: messageOf(error), ...(blame && { isLost: true }) }
  }
}

/** The last task in the same place, where it failed: its successor is not there yet. */
function findFormer(task: SwarmTask, own: readonly SwarmTask[]): SwarmTask | undefined {
  const [former] = own
    .filter((other) => other.slot === task.slot && other.mark === task.mark && hasEnded(other))
    .toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
  return former?.problem ? former : undefined
}
