import { setTimeout as wait } from 'node:timers/promises'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { RemoteShell, RunResult } from '../../ports/remote-shell.ts'
import { eachArgv, thenArgv } from './compound-argv.ts'
import { type Fence, fenceArgv, OVERTAKEN } from './fence.ts'

export type AskOptions = {
  readonly signal: AbortSignal
  readonly stdin?: string
  /**
   * Arguments with which docker prints ids: the command is run for these, and not where there are none. Where there are
   * several, each is itself run for what the next one prints.
   */
  readonly each?: readonly (readonly string[])[]
  /** Arguments with which docker is run once the command has succeeded; both print. */
  readonly followedBy?: readonly string[]
  /** How long to go on asking while no manager can answer, in milliseconds. */
  readonly patienceMs?: number
  /** The lock that a change is made under: raises `locked`, and changes nothing, where a newer one was taken. */
  readonly fence?: Fence
}

/** The managers of a Swarm as one: whichever can answer. */
export interface Manager {
  /** Runs `docker` with these arguments. Any exit code is a result. Raises `remote` when no manager can answer. */
  run(args: readonly string[], options: AskOptions): Promise<RunResult>
  /** The same, for what must succeed: raises `remote` with docker's own words, and hands out what it printed. */
  read(args: readonly string[], options: AskOptions): Promise<string>
}

/** A Swarm whose leader is lost has been seen to be silent for 23 s, on managers that have much to do. */
const PATIENCE_MS = 45_000
const COMMAND_MS = 20_000
const PAUSE_MS = 500

/** Words of an engine that cannot speak for the Swarm now; another one may, or the same one soon. */
const ELSEWHERE =
  /not a swarm manager|does not have a leader|lost leader|no elected|code = (Unavailable|DeadlineExceeded)|deadline exceeded|cannot connect to the docker daemon|error during connect|request canceled/i

/**
 * Asks one manager after the other, whoever could not answer last, and all again until patience ends. A command may
 * have taken effect on a manager that was lost before it could say so: commands must bear being run twice.
 */
export function createManager(shell: RemoteShell, nodes: readonly string[]): Manager {
  let order = nodes
  /** When the first of the commands was given that none has answered since. */
  let silentSince: number | undefined
  const tryAll = async (argv: readonly string[], { signal, stdin }: AskOptions) => {
    const reasons: string[] = []
    for (const node of [...order]) {
      const result = await runOn(shell, node, argv, { signal, ...(stdin !== undefined && { stdin }) })
      if (typeof result !== 'string') return result
      reasons.push(result)
      order = [...order.filter((other) => other !== node), node]
    }
    return reasons
  }
  const run: Manager['run'] = async (args, options) => {
    const { fence, patienceMs = PATIENCE_MS } = options
    const argv = compose(args, options)
    const start = performance.now()
    for (;;) {
      const result = await tryAll(fence ? fenceArgv(argv, fence) : argv, options)
      if (!Array.isArray(result)) {
        silentSince = undefined
        if (fence && result.code === OVERTAKEN) throw describeOvertaken(args)
        return result
      }
      silentSince ??= start
      // Who has waited in vain once has waited for all that follows.
      if (performance.now() + PAUSE_MS > silentSince + patienceMs) throw describeSilence(result)
      await wait(PAUSE_MS, undefined, { signal: options.signal }).catch(() => options.signal.throwIfAborted())
    }
  }
  return {
    run,
    async read(args, options) {
      const result = await run(args, options)
      if (result.code === 0) return result.stdout
      throw describeFailure(args, result)
    },
  }
}

function compose(args: readonly string[], { each = [], followedBy }: AskOptions): readonly string[] {
  const commands = [args, ...each].map((one) => ['docker', ...one])
  const argv = commands.reduceRight((list, command) => eachArgv(command, list))
  return followedBy ? thenArgv(argv, ['docker', ...followedBy]) : argv
}

/** A failed command in docker's own words. */
export function describeFailure(args: readonly string[], { code, stderr }: RunResult): LongshoreError {
  const words = stderr.trim().split('\n').at(-1) || `exit code ${code}`
  return new LongshoreError('remote', `docker ${args.slice(0, 2).join(' ')}: ${words}`, { blame: 'fleet' })
}

/** The result, or why this node cannot speak for the Swarm. */
async function runOn(
  shell: RemoteShell,
  node: string,
  argv: readonly string[],
  options: { readonly signal: AbortSignal; readonly stdin?: string },
): Promise<RunResult | string> {
  try {
    const result = await shell.run(node, argv, { ...options, timeoutMs: COMMAND_MS })
    if (result.code === 0 || !ELSEWHERE.test(result.stderr)) return result
    return `${node}: ${result.stderr.trim().split('\n').at(-1)}`
  } catch (error) {
    options.signal.throwIfAborted()
    if (!(error instanceof LongshoreError) || error.kind !== 'remote') throw error
    return messageOf(error)
  }
}

function describeOvertaken(args: readonly string[]): LongshoreError {
  const message = `a newer lock was taken meanwhile: docker ${args.slice(0, 2).join(' ')} was not run`
  return new LongshoreError('locked', message, {
    hint: 'another operator took over; status.mjs shows where the fleet stands',
  })
}

function describeSilence(reasons: readonly string[]): LongshoreError {
  return new LongshoreError('remote', `no manager of the Swarm answers: ${reasons.join('; ')}`, {
    hint: 'services run on without managers; mend these nodes, then run the same command again',
    blame: 'fleet',
  })
}
