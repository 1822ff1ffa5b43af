import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { createGroup } from './cgroups.ts'

/** Starts a program that outlives this process, in a cgroup of its own; what it prints is appended to `log`. */
export async function spawnInGroup(group: string, argv: readonly string[], log: string): Promise<void> {
  const output = await open(log, 'a')
  // It joins the cgroup before it is the program, so that nothing of it can be missed.
  const join = 'while [ "$1" != -- ]; do echo 0 >"$1"; shift; done; shift; exec "$@"'
  const child = spawn('sh', ['-c', join, 'sh', ...createGroup(group), '--', ...argv], {
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
