import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { finished, pipeline } from 'node:stream/promises'
import { LongshoreError } from '../../lib/domain/errors.ts'
import type { RemoteShell, RunOptions, RunResult } from '../../lib/ports/remote-shell.ts'
import { ROOT } from './shared.ts'
import { makeTempDir } from './temp.ts'

// What is asked of docker to run a relay, without containers: the same program, as a process of this machine.
const DOCKER = `#!/bin/sh
case $1 in
  run) ;;
  *) exit 0 ;;
esac
while [ "$1" != --entrypoint ]; do
  [ "$1" != --volume ] || directory=\${2%:/data}
  shift
done
[ "$3" = "$IMAGE" ] || { echo "Unable to find image '$3' locally" >&2; exit 125; }
cd "$ROOT" || exit
DATA_DIR=$directory exec "$NODE" "$4"
`

export type ProcessShell = RemoteShell & {
  /** Ends all that runs on a node, as if it had lost power; from then on it cannot be reached. */
  cut(node: string): void
  restore(node: string): void
  /** Sends a signal to the relays of a node. */
  signalRelays(node: string, signal: NodeJS.Signals): void
  readonly relays: () => number
  /** Every command that was run, with its node. */
  readonly calls: { readonly node: string; readonly argv: readonly string[] }[]
  /** Nodes that do not have the image. */
  readonly bare: Set<string>
}

/** A remote shell whose nodes are processes of this machine, and whose containers are too. */
export function createProcessShell(image: string): ProcessShell {
  const bin = makeTempDir()
  writeFileSync(join(bin, 'docker'), DOCKER)
  chmodSync(join(bin, 'docker'), 0o755)
  const running = new Set<{ node: string; argv: readonly string[]; child: ChildProcess }>()
  const lost = new Set<string>()
  const bare = new Set<string>()
  const calls: ProcessShell['calls'] = []
  const listRelays = (node?: string) =>
    [...running].filter((one) => isRelay(one.argv) && (node === undefined || one.node === node))

  async function run(node: string, argv: readonly string[], options: RunOptions): Promise<RunResult> {
    options.signal.throwIfAborted()
    if (lost.has(node)) throw new LongshoreError('remote', `${node}: cannot be reached`)
    calls.push({ node, argv })
    const env = {
      ...process.env,
      ROOT,
      NODE: process.execPath,
      IMAGE: bare.has(node) ? 'none' : image,
      PATH: `${bin}:${process.env.PATH}`,
    }
    const child = spawn(argv[0]!, argv.slice(1), { env, detached: true, stdio: 'pipe' })
    const entry = { node, argv, child }
    running.add(entry)
    const stop = () => killGroup(child, 'SIGKILL')
    options.signal.addEventListener('abort', stop, { once: true })
    const result = await follow(child, options).finally(() => {
      running.delete(entry)
      options.signal.removeEventListener('abort', stop)
    })
    options.signal.throwIfAborted()
    if (lost.has(node)) throw new LongshoreError('remote', `${node}: the connection was lost`)
    return result
  }
  return {
    run,
    calls,
    bare,
    relays: () => listRelays().length,
    cut(node) {
      lost.add(node)
      for (const { child } of [...running].filter((one) => one.node === node)) killGroup(child, 'SIGKILL')
    },
    restore: (node) => void lost.delete(node),
    signalRelays(node, signal) {
      for (const { child } of listRelays(node)) killGroup(child, signal)
    },
    async close() {
      for (const { child } of running) killGroup(child, 'SIGKILL')
    },
  }
}

function isRelay(argv: readonly string[]): boolean {
  return argv.some((argument) => argument.includes('docker run'))
}

async function follow(child: ChildProcess, { stdin = '', onStdout }: RunOptions): Promise<RunResult> {
  const blocks: Buffer[] = []
  let stderr = ''
  child.stdout!.on('data', (block: Buffer) => (onStdout ? onStdout(block) : blocks.push(block)))
  child.stderr!.on('data', (block: Buffer) => {
    stderr += block
  })
  const ended = new Promise<number>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)))
  })
  const source = typeof stdin === 'string' ? [Buffer.from(stdin)] : stdin
  // A command that has ended takes nothing more, which is no failure of this.
  const fed = pipeline(source, child.stdin!).catch((error: unknown) => {
    if (error instanceof LongshoreError) throw error
  })
  await Promise.race([fed.then(() => ended), ended])
  await finished(child.stdout!, { writable: false }).catch(() => undefined)
  return { code: await ended, stdout: Buffer.concat(blocks).toString(), stderr }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
