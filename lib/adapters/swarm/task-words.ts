import { messageOf } from '../../domain/errors.ts'
import { findLastWords } from '../../domain/last-words.ts'
import type { SwarmTask } from '../../domain/swarm-inspect.ts'
import { parseRefusal, type Refusal } from '../../domain/swarm-words.ts'
import type { RemoteShell } from '../../ports/remote-shell.ts'
import { inspectState, readLog } from './docker-argv.ts'

const LOOK_MS = 10_000

export type TaskPlace = { readonly shell: RemoteShell; readonly node: string | undefined }

/** Why a task is not ready, in its own words; in the Swarm's where it has none. */
export async function readWords(task: SwarmTask, place: TaskPlace, signal: AbortSignal): Promise<string> {
  const own = await readOwnWords(task, place, signal)
  const words = [task.problem, own].filter((each) => each !== null && each !== undefined && each !== '')
  return words.join(': ') || `it is ${task.state}`
}

/** What a task's last health check was answered, while it starts; undefined where nothing is known. */
export async function readRefusal(
  task: SwarmTask,
  place: TaskPlace,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  return (await readState(task, place, signal))?.refusal
}

async function readOwnWords(
  task: SwarmTask,
  place: TaskPlace,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const state = await readState(task, place, signal)
    if (!state) return undefined
    if (state.refusal && state.refusal.status !== null) return state.refusal.message
    const log = await look(readLog(task.container!), place, signal)
    const words = log && findLastWords(`${log.stdout}\n${log.stderr}`)
    return words || state.refusal?.message
  } catch (error) {
    signal.throwIfAborted()
    return `its node cannot be asked: ${messageOf(error)}`
  }
}

type ContainerState = { readonly refusal: Refusal | undefined }
type RawState = {
  readonly Health?: { readonly Log?: { readonly ExitCode: number; readonly Output: string }[] }
}

async function readState(
  { container }: SwarmTask,
  place: TaskPlace,
  signal: AbortSignal,
): Promise<ContainerState | undefined> {
  const result = container ? await look(inspectState(container), place, signal) : undefined
  if (result?.code !== 0) return undefined
  const { Health } = JSON.parse(result.stdout) as RawState
  const last = Health?.Log?.at(-1)
  return { refusal: last && last.ExitCode !== 0 ? parseRefusal(last.Output) : undefined }
}

async function look(args: readonly string[], { shell, node }: TaskPlace, signal: AbortSignal) {
  return node === undefined
    ? undefined
    : await shell.run(node, ['docker', ...args], { signal, timeoutMs: LOOK_MS })
}
