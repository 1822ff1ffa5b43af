import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { createGroup } from './cgroups.ts'

/** Starts a program that outlives this process, in a cgroup of its own; what it prints is appended to `log`. */
export async function spawnInGroup(group: string, argv: readonly string[], log: string): Promise<void> {
  const output = await open(log, 'a')
  const [program, ...args] = joinGroup(group, argv)
  const child = spawn(program!, args, {
    detached: true,
    cwd: '/',
    // A node knows nothing of the shell it was started from.
    env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8' },
    stdio: ['ignore', output.fd, output.fd],
  })
  child.unref()
  await once(child, 'spawn')
  await output.close()
}

/** A program and its arguments that join a cgroup before they are the given ones, so that nothing of it can be missed. */
export function joinGroup(group: string, argv: readonly string[]): string[] {
  const join = 'while [ "$1" != -- ]; do echo 0 >"$1"; shift; done; shift; exec "$@"'
  return ['sh', '-c', join, 'sh', ...createGroup(group), '--', ...argv]
}
