import { LongshoreError } from '../../domain/errors.ts'
import type { RemoteShell, RunOptions, RunResult } from '../../ports/remote-shell.ts'

/** Bytes per millisecond that every disk reads and writes. */
const SLOWEST_DISK = 10_000

/** A directory of a node. */
export type Place = {
  readonly node: string
  readonly home: string
  readonly shell: RemoteShell
  /** How long a node may do nothing that we can see, besides reading and writing files, in milliseconds. */
  readonly operationTimeoutMs: number
}

export type ScriptOptions = RunOptions & {
  /** Exit codes that the caller understands, besides 0. */
  readonly codes?: readonly number[]
}

/** How long a node may take for something that reads or writes so many bytes, in milliseconds. */
export function allowMs({ operationTimeoutMs }: Place, bytes: number): number {
  return Math.round(operationTimeoutMs + bytes / SLOWEST_DISK)
}

/**
 * Runs a script on a node. Raises `remote` with the node's own words for an exit code that is not expected, and an
 * error with the code `ENOSPC` when its disk is full.
 */
export async function runScript(
  { node, shell }: Place,
  script: string,
  args: readonly string[],
  { codes = [], ...options }: ScriptOptions,
): Promise<RunResult> {
  const result = await shell.run(node, ['env', 'LC_ALL=C', 'sh', '-c', script, 'sh', ...args], options)
  if (result.code === 0 || codes.includes(result.code)) return result
  const words = result.stderr.trim().split('\n').at(-1) || `exit code ${result.code}`
  if (/No space left on device|Disk quota exceeded/.test(result.stderr)) {
    throw Object.assign(new Error(`${node}: ${words}`), { code: 'ENOSPC' })
  }
  throw new LongshoreError('remote', `${node}: ${words}`, {
    hint: `correct it on ${node}, then run the same command again: it continues`,
  })
}
