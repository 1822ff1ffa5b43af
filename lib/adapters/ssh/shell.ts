import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { RemoteShell, RunOptions, RunResult } from '../../ports/remote-shell.ts'
import { runCommand } from './command.ts'
import { createPool } from './pool.ts'
import type { SshSettings } from './settings.ts'

/** Runs commands on nodes over SSH, each node over one connection that is kept. Raises `usage` for wrong settings. */
export function createSshShell(settings: SshSettings): RemoteShell {
  const pool = createPool(settings)
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()

  const run = async (node: string, argv: readonly string[], options: RunOptions): Promise<RunResult> => {
    const { timeoutMs, ...rest } = options
    const limit = createTimeLimit(node, argv, timeoutMs)
    const signal = AbortSignal.any([options.signal, closing.signal, limit.signal])
    try {
      signal.throwIfAborted()
      return await pool.use(node, signal, (connection) => runCommand(connection, argv, { ...rest, signal }))
    } catch (error) {
      throw explain(node, error, signal)
    } finally {
      limit.clear()
    }
  }
  return {
    run(...args) {
      const result = run(...args)
      running.add(result)
      const forget = () => running.delete(result)
      result.then(forget, forget)
      return result
    },
    async close() {
      closing.abort(new LongshoreError('interrupted', 'the connections were closed'))
      await Promise.allSettled(running)
      await pool.close()
    },
  }
}

function createTimeLimit(node: string, argv: readonly string[], timeoutMs: number | undefined) {
  const controller = new AbortController()
  const expire = () =>
    controller.abort(
      new LongshoreError('remote', `${node}: ${argv[0]} did not end within ${timeoutMs! / 1000} s`, {
        hint: `see what keeps ${node} busy, then run the same command again`,
      }),
    )
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs)
  return { signal: controller.signal, clear: () => clearTimeout(timer) }
}

/** An error with the name of the node; an abort that has no words of its own is told as an interruption. */
function explain(node: string, error: unknown, signal: AbortSignal): unknown {
  if (!(error instanceof LongshoreError)) {
    if (!signal.aborted || error !== signal.reason) return error
    return new LongshoreError('interrupted', messageOf(error), { cause: error })
  }
  if (error.kind !== 'remote' || error.message.startsWith(`${node}: `)) return error
  return new LongshoreError(error.kind, `${node}: ${error.message}`, {
    ...(error.hint !== undefined && { hint: error.hint }),
    cause: error,
  })
}
