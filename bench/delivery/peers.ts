import { execFile } from 'node:child_process'
import { basename, dirname } from 'node:path'
import { promisify } from 'node:util'
import { createGenerationStore } from '../../lib/adapters/generations/store.ts'
import { createSshShell } from '../../lib/adapters/ssh/shell.ts'
import { createSshTransport } from '../../lib/adapters/ssh/transport.ts'
import type { LabFleet } from './lab-fleet.ts'

const run = promisify(execFile)
const TARGET = '/var/lib/longshore/peer'
/** The one that our own connections begin with. */
const CIPHER = 'aes128-gcm@openssh.com'
const TIMEOUT_MS = 60_000

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
  const seconds = await time(() => run('scp', [...options, directory, `${node}:${TARGET}`]))
  await clear({ lab, names: [node] })
  return seconds
}

/** Seconds that our own connection takes to the same node: hashed from its disk, synced, published. */
export async function timeTransport({ lab }: LabFleet, directory: string): Promise<number> {
  const [{ name, host, port, user, key, knownHosts }] = lab.nodes as [LabFleet['lab']['nodes'][number]]
  const shell = createSshShell({
    nodes: [{ name, host, port, user }],
    identityFile: key,
    knownHostsFile: knownHosts,
    connectTimeoutMs: TIMEOUT_MS,
    keepAliveMs: TIMEOUT_MS,
  })
  const transport = createSshTransport({
    shell,
    nodes: [{ name, directory: TARGET }],
    operationTimeoutMs: TIMEOUT_MS,
  })
  try {
    const manifest = await createGenerationStore(dirname(directory)).read(basename(directory))
    const { signal } = new AbortController()
    return await time(() => transport.deliver(name, directory, manifest, { signal }))
  } finally {
    await transport.close()
    await clear({ lab, names: [name] })
  }
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1000
}

async function clear({ lab, names }: Pick<LabFleet, 'lab' | 'names'>): Promise<void> {
  await Promise.all(names.map((node) => lab.exec(node, ['rm', '-rf', TARGET])))
}
