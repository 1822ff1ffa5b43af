import { LongshoreError } from '../../domain/errors.ts'
import { isSameGeneration } from '../../domain/generation.ts'
import type { ServiceSpec } from '../../domain/service.ts'
import type { SwarmTask } from '../../domain/swarm-inspect.ts'
import { judge } from '../../domain/swarm-progress.ts'
import { pause } from '../process/pause.ts'
import { type Engine, readService } from './engine-parts.ts'
import { observeTasks } from './observe.ts'
import type { FleetView } from './read-fleet.ts'
import { readRefusal, readWords } from './task-words.ts'

const POLL_MS = 400
const WORDS_MS = 30_000

export type Wait = { readonly spec: ServiceSpec; readonly known: ReadonlySet<string>; readonly end: number }

/** Waits until a service is as its spec says and its tasks say so themselves. Raises `remote`, at `end` too. */
export async function settle(engine: Engine, { spec, known, end }: Wait, signal: AbortSignal): Promise<void> {
  for (;;) {
    const view = await readService(engine, spec.name, signal)
    const [service] = view.services
    const verdict = judge({ service, tasks: view.tasks, nodes: view.nodes }, { spec, known })
    const task = 'task' in verdict ? verdict.task : undefined
    if (verdict.state === 'failed') throw await describeProblem(engine, view, verdict)
    const unserved = verdict.state === 'settled' ? await findUnserved(engine, view, signal) : undefined
    if (verdict.state === 'settled' && unserved === undefined) return
    const place = { shell: engine.shell, node: view.nodes.find(({ id }) => id === task?.nodeId)?.name }
    const refusal = task && (await readRefusal(task, place, signal).catch(() => signal.throwIfAborted()))
    if (refusal?.code === 'canary_failed') throw failure(spec.name, refusal.message)
    if (performance.now() > end) {
      const why = verdict.state === 'waiting' ? verdict.why : unserved!
      throw await describeProblem(engine, view, { why: `not ready in time: ${why}`, ...(task && { task }) })
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

async function describeProblem(
  { shell }: Engine,
  view: FleetView,
  { why, task }: { readonly why: string; readonly task?: SwarmTask },
): Promise<LongshoreError> {
  const name = view.services[0]?.spec.name ?? 'the service'
  if (!task) return failure(name, why)
  const node = view.nodes.find(({ id }) => id === task.nodeId)?.name
  const words = await readWords(task, { shell, node }, AbortSignal.timeout(WORDS_MS))
  return failure(name, `${why}${node === undefined ? '' : ` on ${node}`}: ${words}`)
}

function failure(service: string, words: string): LongshoreError {
  return new LongshoreError('remote', words.includes(service) ? words : `${service}: ${words}`)
}
