import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { LabNode, Layout } from './layout.ts'
import { run } from './quiet.ts'

/** Makes the operator's key and every node's host key where they are missing, and a known_hosts that knows them all. */
export async function writeKeys(lab: Layout): Promise<void> {
  const [{ key, knownHosts }] = lab.nodes as [LabNode]
  await mkdir(dirname(key), { recursive: true, mode: 0o700 })
  await makeKey(key)
  const lines = lab.nodes.map(async (node) => {
    const etc = join(lab.state, node.name, 'upper/etc/ssh')
    await mkdir(etc, { recursive: true })
    await makeKey(hostKeyOf(lab, node))
    await writeFile(join(etc, 'sshd_config'), renderSshd())
    const home = join(lab.state, node.name, 'home/.ssh')
    await mkdir(home, { recursive: true, mode: 0o700 })
    await writeFile(join(home, 'authorized_keys'), await readFile(`${key}.pub`), { mode: 0o600 })
    const [type, text] = (await readFile(`${hostKeyOf(lab, node)}.pub`, 'utf8')).split(' ')
    return `${node.host},${node.name} ${type} ${text}\n`
  })
  await writeFile(knownHosts, (await Promise.all(lines)).join(''))
  await writeFile(sshConfigOf(lab), renderClient(lab))
}

/** The file for `ssh -F`, which knows every node by its name and checks its host key. */
export function sshConfigOf({ state }: Layout): string {
  return join(state, 'ssh/config')
}

function hostKeyOf({ state }: Layout, { name }: LabNode): string {
  return join(state, name, 'upper/etc/ssh/lab_host_key')
}

async function makeKey(file: string): Promise<void> {
  if (!existsSync(file)) await run`ssh-keygen -q -t ed25519 -N ${''} -C longshore-lab -f ${file}`
}

/** As Debian ships it, without passwords and without PAM, which asks things of the machine that a node has not. */
function renderSshd(): string {
  return `HostKey /etc/ssh/lab_host_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
SetEnv PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Subsystem sftp internal-sftp
`
}

function renderClient({ nodes }: Layout): string {
  const entries = nodes.map(
    ({ name, host, user, key, knownHosts, port }) => `Host ${name} ${host}
  HostName ${host}
  Port ${port}
  User ${user}
  IdentityFile ${key}
  IdentitiesOnly yes
  UserKnownHostsFile ${knownHosts}
  StrictHostKeyChecking yes
  BatchMode yes
  ConnectTimeout 5
`,
  )
  return entries.join('')
}
