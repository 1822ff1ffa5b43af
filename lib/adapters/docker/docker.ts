import type { ExecaError } from 'execa'
import { LongshoreError } from '../../domain/errors.ts'

export type DockerOptions = {
  readonly signal: AbortSignal
  readonly cwd?: string
  /** The engine's address; by default that of DOCKER_HOST or of this machine. */
  readonly host?: string | undefined
}

const HINTS: Readonly<Record<string, string>> = {
  build: '--from-scratch asks no registry; --base names another base',
  push: 'docker login tells the registry who you are',
}
const HINT = 'docker info tells whether there is an engine; DOCKER_HOST names another'

/** Loaded with the first program that is run, so that commands which need none start sooner. */
export async function loadExeca() {
  return await import('execa')
}

/** Arguments of `docker` that name the engine. */
export function engineArguments(host: string | undefined): string[] {
  return host === undefined ? [] : ['--host', host]
}

/** Runs `docker` and resolves to what it prints. Raises `remote` with its last words, `usage` when there is none. */
export async function runDocker(args: readonly string[], options: DockerOptions): Promise<string> {
  const { signal, cwd, host } = options
  const { execa } = await loadExeca()
  try {
    const { stdout } = await execa('docker', [...engineArguments(host), ...args], {
      cancelSignal: signal,
      stdin: 'ignore',
      ...(cwd !== undefined && { cwd }),
    })
    return stdout
  } catch (error) {
    throw describeFailure(error, args, signal)
  }
}

/** The failure of a run of `docker`, for the operator; what the signal aborts with when it was stopped. */
export function describeFailure(error: unknown, args: readonly string[], signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (!isExecaError(error)) return error
  if (error.code === 'ENOENT') {
    return new LongshoreError('usage', 'there is no program docker on this machine', {
      hint: 'install the Docker client; DOCKER_HOST=ssh://user@node lets the engine of a node do the work',
      cause: error,
    })
  }
  const words =
    String(error.stderr ?? '')
      .trim()
      .split('\n')
      .at(-1) || error.shortMessage
  return new LongshoreError('remote', `docker ${args[0]} failed: ${words}`, {
    hint: HINTS[args[0] ?? ''] ?? HINT,
    cause: error,
  })
}

function isExecaError(error: unknown): error is ExecaError {
  return error instanceof Error && 'shortMessage' in error
}
