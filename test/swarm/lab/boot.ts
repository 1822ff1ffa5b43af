import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { eventually } from '../../support/eventually.ts'
import { findInit, killGroup } from './cgroups.ts'
import type { LabNode, Layout } from './layout.ts'
import { hasPort, plugIn } from './network.ts'
import { run } from './quiet.ts'
import { spawnInGroup } from './spawn.ts'

const INIT = join(import.meta.dirname, 'node.sh')
/** An engine with many containers takes a while on a busy machine. */
const START_MS = 60_000

/** Starts a node that does not run, and gives it a cable if it has none; resolves when its engine and its sshd answer. */
export async function bootNode(lab: Layout, node: LabNode, diskMegabytes: number): Promise<void> {
  const running = findNode(lab, node)
  if (running === undefined) await startNode(lab, node, diskMegabytes)
  else if (!(await hasPort(lab, node))) await plugIn(lab, node, running)
  await eventually(() => askEngine(node), START_MS)
  await eventually(() => askSshd(node), START_MS)
}

/** The first process of a node, by its number on this machine, if the node runs. */
export function findNode(lab: Layout, node: LabNode): number | undefined {
  return findInit(`${groupOf(lab, node)}/sys`)
}

/** The cgroup of everything on a node: its own processes in `sys`, its containers beside. */
export function groupOf({ id }: Layout, { name }: LabNode): string {
  return `${id}/${name}`
}

/** Resolves when the node's engine answers on its socket. */
export async function askEngine({ name, socket }: LabNode): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    get({ socketPath: socket, path: '/_ping' }, (response) => {
      response.resume()
      if (response.statusCode === 200) resolve()
      else reject(new Error(`the engine of ${name} answers ${response.statusCode}`))
    }).on('error', reject)
  })
}

/** Resolves when the node's sshd greets; raises when it does not within two seconds. */
export async function askSshd({ name, host, port }: LabNode): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port, timeout: 2000 })
    const end = (error?: Error) => {
      socket.destroy()
      if (error) reject(error)
      else resolve()
    }
    socket.once('data', () => end())
    socket.once('error', end)
    socket.once('close', () => reject(new Error(`the sshd of ${name} hangs up`)))
    socket.once('timeout', () => end(new Error(`the sshd of ${name} does not greet`)))
  })
}

async function startNode(lab: Layout, node: LabNode, diskMegabytes: number): Promise<void> {
  await killGroup(groupOf(lab, node))
  const home = join(lab.state, node.name)
  await prepareHome(lab, node, home, diskMegabytes)
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--fork', '--kill-child']
  const argv = ['setsid', 'unshare', ...namespaces, INIT, node.name, home, groupOf(lab, node)]
  await spawnInGroup(`${groupOf(lab, node)}/sys`, argv, join(home, 'run/init.log'))
  const pid = await eventually(() => {
    const found = findNode(lab, node)
    if (found === undefined) throw new Error(`${node.name} does not start: see ${home}/run/init.log`)
    return found
  }, START_MS)
  await plugIn(lab, node, pid)
  await writeFile(join(home, 'run/plugged'), '')
}

async function prepareHome(lab: Layout, node: LabNode, home: string, diskMegabytes: number): Promise<void> {
  const upper = join(home, 'upper')
  const folders = ['root', 'work', 'run', 'home', 'docker', 'upper/etc/docker', 'upper/var/lib/longshore']
  await Promise.all(folders.map((folder) => mkdir(join(home, folder), { recursive: true })))
  for (const old of ['plugged', 'sshd.off', 'dockerd.off', 'docker.sock']) {
    await rm(join(home, 'run', old), { force: true })
  }
  const hosts = lab.nodes.map(({ host, name }) => `${host} ${name}\n`).join('')
  await writeFile(join(upper, 'etc/hosts'), `127.0.0.1 localhost\n${hosts}`)
  await writeFile(join(upper, 'etc/hostname'), `${node.name}\n`)
  // Nothing listens there, so a look-up is refused at once: engines ask their public registry at each start of a task.
  await writeFile(join(upper, 'etc/resolv.conf'), `nameserver ${node.host}\noptions timeout:1 attempts:1\n`)
  const engine = { 'storage-driver': 'overlay2', 'insecure-registries': [`${lab.subnet}.0/24`] }
  await writeFile(join(upper, 'etc/docker/daemon.json'), JSON.stringify(engine))
  if (diskMegabytes === 0) return void (await mkdir(join(home, 'disk'), { recursive: true }))
  const disk = join(home, 'disk.img')
  if (existsSync(disk)) return
  // A file with holes: it takes only what is written to it.
  await run`truncate -s ${diskMegabytes}M ${disk}`
  await run`mkfs.ext4 -q -F -m 0 ${disk}`
}
