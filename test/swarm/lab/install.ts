import { existsSync } from 'node:fs'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { withLock } from './lock.ts'
import { ask, run } from './quiet.ts'

/** What the lab runs, and the Debian package that brings it. */
const PROGRAMS = {
  dockerd: 'docker.io',
  'docker-registry': 'docker-registry',
  docker: 'docker-cli',
  iptables: 'iptables',
  ip: 'iproute2',
  tc: 'iproute2',
  sshd: 'openssh-server',
  ssh: 'openssh-client',
  pgrep: 'procps',
  'mkfs.ext4': 'e2fsprogs',
  'ssh-keygen': 'openssh-client',
} as const

const POLICY = '/usr/sbin/policy-rc.d'
const OPTIONS = ['-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3']

/** Installs the Debian packages that the lab needs and this machine lacks; none of their services is started here. */
export async function install(): Promise<void> {
  // Of labs that start at once, one installs.
  if (listMissing().length > 0) await withLock(dirname(POLICY), installMissing)
}

async function installMissing(): Promise<void> {
  const missing = listMissing()
  if (missing.length === 0) return
  const apt = run({ env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  await apt`apt-get ${OPTIONS} update`
  const isOwnPackage = (await ask`apt-cache show docker-cli`).exitCode === 0
  // Before Debian 13 the client is part of docker.io.
  const packages = missing.filter((name) => name !== 'docker-cli' || isOwnPackage)
  await withoutStarts(() => apt`apt-get ${OPTIONS} install -y --no-install-recommends ${packages}`)
  const still = listMissing().filter((name) => name !== 'docker-cli')
  if (still.length > 0) throw new Error(`Debian did not bring what the lab needs: ${still.join(', ')}`)
}

function listMissing(): string[] {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  const isThere = (program: string) => folders.some((folder) => existsSync(join(folder, program)))
  const missing = Object.entries(PROGRAMS).filter(([program]) => !isThere(program))
  return [...new Set<string>(missing.map(([, name]) => name))]
}

/** Has Debian start no service of a package that is installed meanwhile. */
async function withoutStarts(work: () => Promise<unknown>): Promise<void> {
  if (existsSync(POLICY)) {
    await work()
    return
  }
  await writeFile(POLICY, '#!/bin/sh\nexit 101\n')
  await chmod(POLICY, 0o755)
  try {
    await work()
  } finally {
    await rm(POLICY)
  }
}
