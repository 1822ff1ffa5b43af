import { LongshoreError } from '../../domain/errors.ts'
import { isSameGeneration } from '../../domain/generation.ts'
import type { SwarmTask } from '../../domain/swarm-inspect.ts'
import { judge, type Wanted } from '../../domain/swarm-progress.ts'
import { pause } from '../process/pause.ts'
import { type Engine, endingMs, readService } from './engine-parts.ts'
import { observeTasks } from './observe.ts'
import type { FleetView } from './read-fleet.ts'
import { readRefusal, readWords, type Words } from './task-words.ts'

/** Every look costs a manager five runs of docker, and several services may be waited for. */
const POLL_MS = 800
const WORDS_MS = 30_000

export type Wait = Wanted & { readonly end: number }

/** Waits until a service is as its spec says and its tasks say so themselves. Raises `remote`, also when they do not by `end`. */
export async function settle(engine: Engine, { end, ...goal }: Wait, signal: AbortSignal): Promise<void> {
  const { spec } = goal.wanted
  for (;;) {
    const view = await readService(engine, spec.name, signal)
    const [service] = view.services
    const verdict = judge({ service, tasks: view.tasks, nodes: view.nodes }, goal)
    const task = 'task' in verdict ? verdict.task : undefined
    if (verdict.state === 'failed') throw await describeProblem(engine, view, verdict)
    const unserved = verdict.state === 'settled' ? await findUnserved(engine, view, signal) : undefined
    if (verdict.state === 'settled' && unserved === undefined) return
    const place = { shell: engine.shell, node: view.nodes.find(({ id }) => id === task?.nodeId)?.name }
    const refusal = task && (await readRefusal(task, place, signal).catch(() => signal.throwIfAborted()))
    if (refusal?.code === 'canary_failed') throw failure(spec.name, { text: refusal.message })
    // The deadline is for tasks to become ready: how long former ones take to end says nothing of the new ones.
    if (performance.now() > (verdict.state === 'ending' ? end + endingMs(engine) : end)) {
      const why = verdict.state === 'settled' ? unserved! : verdict.why
      const about = task ? { task } : unserved === undefined ? { blame: 'fleet' as const } : {}
      throw await describeProblem(engine, view, { why: `not ready in time: ${why}`, ...about })
    }
    await pause(POLL_MS, signal)
  }
}

/** What a task that should be ready says otherwise, asked on its own socket. */
async function findUnserved(
  { shell }: Engine,
  view: FleetView,
  signal: AbortSignal,
): Promise<string | undefined> {
  const service = view.services[0]!
  const { generations } = service.spec
  for (const task of await observeTasks(service, view, { shell, signal })) {
    if (task.state !== 'ready') return `${task.id} on ${task.node} is ${task.state}: ${task.problem ?? ''}`
    const missing = generations.find((one) => !task.generations.some((held) => isSameGeneration(one, held)))
    if (missing) return `${task.id} on ${task.node} does not serve ${missing.name}`
  }
  return undefined
}

type Problem = { readonly why: string; readonly task?: SwarmTask; readonly blame?: 'fleet' }

async function describeProblem(
  { shell }: Engine,
  view: FleetView,
  { why, task, blame }: Problem,
): Promise<LongshoreError> {
  const name = view.services[0]?.spec.name ?? 'the service'
  if (!task) return failure(name, { text: why, ...(blame && { blame }) })
  const node = view.nodes.find(({ id }) => id === task.nodeId)
  if (node?.isDown) return failure(name, { text: `${why}: ${node.name} is down`, blame: 'fleet' })
  const words = await readWords(task, { shell, node: node?.name }, AbortSignal.timeout(WORDS_MS))
  return failure(name, { ...words, text: `${why}${node ? ` on ${node.name}` : ''}: ${words.text}` })
}

function failure(service: string, { text, blame }: Words): LongshoreError {
  return new LongshoreError('remote', text.includes(service) ? text : `${service}: ${text}`, { blame })
}
