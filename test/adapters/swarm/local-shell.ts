import { execa } from 'execa'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { RemoteShell } from '../../../lib/ports/remote-shell.ts'

export type Call = { readonly node: string; readonly argv: readonly string[] }

export type LocalShellOptions = {
  /** Address of each node's engine, for example `unix:///run/n1.sock`. */
  readonly engines: Readonly<Record<string, string>>
  /** Called before every command; what it throws is how the node fails. */
  readonly before?: (call: Call) => void
}

/** A remote shell whose nodes are engines that this machine reaches: `docker` is run here, on the node's engine. */
export function createLocalShell({ engines, before }: LocalShellOptions): RemoteShell {
  return {
    async run(node, argv, { stdin, signal, timeoutMs }) {
      signal.throwIfAborted()
      before?.({ node, argv })
      const engine = engines[node]
      if (!engine) throw new LongshoreError('remote', `${node} cannot be reached`)
      const [program, ...args] = argv
      const result = await execa(program!, args, {
        env: { DOCKER_HOST: engine },
        input: typeof stdin === 'string' ? stdin : '',
        cancelSignal: signal,
        ...(timeoutMs !== undefined && { timeout: timeoutMs }),
        reject: false,
        stripFinalNewline: false,
      })
      signal.throwIfAborted()
      if (result.timedOut) throw new LongshoreError('remote', `${node} did not answer in time`)
      return { code: result.exitCode ?? 255, stdout: result.stdout, stderr: result.stderr }
    },
    close: async () => undefined,
  }
}
