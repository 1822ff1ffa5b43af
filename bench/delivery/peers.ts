import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { LabFleet } from './lab-fleet.ts'

const run = promisify(execFile)
const TARGET = '/var/lib/longshore/peer'
/** The one that our own connections begin with. */
const CIPHER = 'aes128-gcm@openssh.com'

/** Seconds that rsync takes from host to host, as the reference's loop does: unverified, files shown one by one. */
export async function timeRsync({ lab, names }: LabFleet, directory: string): Promise<number> {
  const seconds = await time(async () => {
    for (const node of names) {
      await run('rsync', ['-a', '-e', `ssh -F ${lab.sshConfig}`, `${directory}/`, `${node}:${TARGET}/`])
    }
  })
  await clear({ lab, names })
  return seconds
}

/** Seconds that scp takes to one node: unverified, not synced to the disk. */
export async function timeScp({ lab, names }: LabFleet, directory: string): Promise<number> {
  const [node] = names as [string]
  const options = ['-q', '-r', '-F', lab.sshConfig, '-c', CIPHER]
  const [program, ...args] = lab.asMachine(['scp', ...options, directory, `${node}:${TARGET}`])
  const seconds = await time(() => run(program!, args))
  await clear({ lab, names: [node] })
  return seconds
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1000
}

async function clear({ lab, names }: Pick<LabFleet, 'lab' | 'names'>): Promise<void> {
  await Promise.all(names.map((node) => lab.exec(node, ['rm', '-rf', TARGET])))
}
