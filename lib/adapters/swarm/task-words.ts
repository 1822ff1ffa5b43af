import { messageOf } from '../../domain/errors.ts'
import { findLastWords } from '../../domain/last-words.ts'
import type { SwarmTask } from '../../domain/swarm-inspect.ts'
import { hasEnded } from '../../domain/swarm-progress.ts'
import { parseRefusal, type Refusal } from '../../domain/swarm-words.ts'
import type { RemoteShell } from '../../ports/remote-shell.ts'
import { inspectState, readLog } from './docker-argv.ts'

const LOOK_MS = 10_000

export type TaskPlace = {
  readonly shell: RemoteShell
  /** Nothing is asked where it is left out. */
  readonly node: string | undefined
  /** How long each look may take, in milliseconds. */
  readonly limitMs?: number
}

export type Words = {
  readonly text: string
  /** `fleet` where the task did not come to this by itself: its node is lost, or it was killed from outside. */
  readonly blame?: 'fleet'
}

/** Why a task is not ready, in its own words; in the Swarm's where it has none. */
export async function readWords(task: SwarmTask, place: TaskPlace, signal: AbortSignal): Promise<Words> {
  const own = await readOwnWords(task, place, signal)
  const words = [task.problem, own.text].filter((each) => each !== null && each !== '')
  return { ...own, text: words.join(': ') || `it is ${task.state}` }
}

/** What a task's last health check was answered, while it starts; undefined where nothing is known. */
export async function readRefusal(
  task: SwarmTask,
  place: TaskPlace,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  return (await readState(task, place, signal))?.refusal
}

async function readOwnWords(task: SwarmTask, place: TaskPlace, signal: AbortSignal): Promise<Words> {
  try {
    const state = await readState(task, place, signal)
    if (!state) return { text: '', ...(hasEnded(task) && { blame: 'fleet' }) }
    if (state.engineWords) return { text: state.engineWords, blame: 'fleet' }
    if (state.refusal && state.refusal.status !== null) return { text: state.refusal.message }
    const log = await look(readLog(task.container!), place, signal)
    const words = log && findLastWords(`${log.stdout}\n${log.stderr}`)
    return { text: words || (state.refusal?.message ?? '') }
  } catch (error) {
    signal.throwIfAborted()
    return { text: `its node cannot be asked: ${messageOf(error)}`, blame: 'fleet' }
  }
}

type ContainerState = {
  readonly refusal: Refusal | undefined
  /** What the engine did to it, or could not do for it. */
  readonly engineWords: string | undefined
}
type RawState = {
  readonly Status: string
  readonly ExitCode: number
  readonly OOMKilled: boolean
  readonly Error: string
  readonly Health?: { readonly Log?: { readonly ExitCode: number; readonly Output: string }[] }
}

/** SIGKILL, 128 and 9, where neither memory nor bad health was the reason; a lost engine leaves 255. */
const KILLED = [137, 255]

async function readState(
  { container }: SwarmTask,
  place: TaskPlace,
  signal: AbortSignal,
): Promise<ContainerState | undefined> {
  const result = container ? await look(inspectState(container), place, signal) : undefined
  if (result?.code !== 0) return undefined
  const state = JSON.parse(result.stdout) as RawState
  const last = state.Health?.Log?.at(-1)
  const refusal = last && last.ExitCode !== 0 ? parseRefusal(last.Output) : undefined
  return { refusal, engineWords: refusal ? undefined : findEngineWords(state) }
}

/** undefined for a container that runs, or ended by itself: a service ends with 0 only where it is told to. */
function findEngineWords({ Status, ExitCode, OOMKilled, Error: error }: RawState): string | undefined {
  if (error) return `the engine of its node could not run it: ${error}`
  if (Status !== 'exited' || OOMKilled) return undefined
  if (ExitCode === 0) return 'its container was told to end from outside'
  return KILLED.includes(ExitCode) ? 'its container was killed from outside' : undefined
}

async function look(args: readonly string[], place: TaskPlace, signal: AbortSignal) {
  const { shell, node, limitMs = LOOK_MS } = place
  return node === undefined
    ? undefined
    : await shell.run(node, ['docker', ...args], { signal, timeoutMs: limitMs })
}
