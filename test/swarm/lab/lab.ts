import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { quoteArgv } from '../../../lib/adapters/ssh/quote.ts'
import { eventually } from '../../support/eventually.ts'
import { bootNode, findNode } from './boot.ts'
import { killGroup, removeGroup, weighGroup } from './cgroups.ts'
import { createFault, type Fault, HOST, pidOf } from './fault.ts'
import { install } from './install.ts'
import { sshConfigOf, writeKeys } from './keys.ts'
import { type LabNode, type Layout, layOut } from './layout.ts'
import { readHostTraffic, readTraffic, type Traffic } from './line.ts'
import { withLock } from './lock.ts'
import { closeSwitch, openSwitch } from './network.ts'
import { run } from './quiet.ts'
import { joinGroup } from './spawn.ts'
import { type Docker, formSwarm } from './swarm.ts'

export const DEFAULT_STATE = '/var/lib/longshore-lab'

export type LabOptions = {
  readonly nodes?: number
  /** How many of them are managers: 1 or 3. */
  readonly managers?: number
  /** Directory of everything that the lab keeps. */
  readonly state?: string
  /**
   * Size of each node's disk for indices, of which only what is written is taken. 0: a directory instead, which cannot be
   * filled, and which spares this machine from writing everything twice.
   */
  readonly diskMegabytes?: number
  /** How many processes of this machine all nodes together count for when the processor is scarce; 4 by default. */
  readonly weight?: number
}

/** A Docker Swarm of several nodes on this machine, each with its own engine, sshd, address, files and disk. */
export interface Lab {
  readonly state: string
  readonly nodes: readonly LabNode[]
  /** This machine's address, as the nodes see it. */
  readonly address: string
  /** File for `ssh -F`. */
  readonly sshConfig: string
  readonly fault: Fault
  /** Bytes that went through the line of a node, or of this machine by the name `host`. Raises for a node that is off. */
  readTraffic(machine: string): Traffic
  /** Where this machine finds the files of a node; undefined while it is off. */
  locateRoot(node: string): string | undefined
  /** Runs `docker` against a node's engine, by a socket that no fault of the network touches; resolves to stdout. */
  docker(node: string, ...args: string[]): Promise<string>
  /** Runs a program on a node over SSH with its host key checked; resolves to stdout. Raises when it fails. */
  ssh(node: string, argv: readonly string[]): Promise<string>
  /** A program and its arguments so that it runs on this machine, but counts as a node when the processor is scarce. */
  asMachine(argv: readonly string[]): string[]
  /** Runs a program on a node, without the network. */
  exec(node: string, argv: readonly string[]): Promise<string>
  /** Takes the lab away, but keeps it when a test has failed and KEEP_FAILED=1. */
  stop(options?: { readonly hasFailed?: boolean }): Promise<void>
}

type LabFile = Layout & { readonly diskMegabytes: number }

/**
 * Brings a lab up and resolves when its Swarm is ready. A lab that is there already is mended, or grows to as many
 * nodes, and otherwise stays as it is. Raises when this is not Linux, or not root.
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error('the lab needs Linux, and root')
  await install()
  const file = await planLab(options)
  const lab = createLab(file)
  await withLock(lockOf(file), async () => {
    await writeLabFile(file)
    await writeKeys(file)
    weighGroup(file.id, options.weight ?? 4)
    await openSwitch(file)
    await Promise.all(file.nodes.map((node) => bootNode(file, node, file.diskMegabytes)))
    await formSwarm((node, ...args) => lab.docker(node.name, ...args), file.nodes)
  })
  return lab
}

/** The lab that keeps itself in a directory. Raises when there is none. */
export async function openLab(state: string = DEFAULT_STATE): Promise<Lab> {
  const file = await readLabFile(state)
  if (!file) throw new Error(`there is no lab in ${state}: npx zx test/swarm/lab/up.mjs --state ${state}`)
  return createLab(file)
}

/** Takes away all there is of a lab, also when it is half there: processes, cgroups, links, files. */
export async function stopLab(state: string = DEFAULT_STATE): Promise<void> {
  const lab = layOut({ state, nodes: 0, managers: 0 })
  await checkIsLab(lab.state)
  await withLock(lockOf(lab), async () => {
    await killGroup(lab.id)
    await closeSwitch(lab)
    await removeGroup(lab.id)
    // The kernel lets go of a disk some time after the last process that saw it.
    await eventually(async () => {
      const { stdout } = await run`losetup --list --noheadings --output BACK-FILE`
      if (stdout.includes(`${lab.state}/`)) throw new Error(`a disk in ${lab.state} is still in use`)
    }, 60_000)
    await rm(lab.state, { recursive: true, force: true })
    await rm(lockOf(lab), { force: true })
  })
}

function createLab(file: LabFile): Lab {
  const find = (name: string) => {
    const node = file.nodes.find((candidate) => candidate.name === name)
    if (!node)
      throw new Error(`the lab has no node ${name}: ${file.nodes.map((each) => each.name).join(', ')}`)
    return node
  }
  const docker: Docker = async ({ socket }, ...args) =>
    (await run`docker --host ${`unix://${socket}`} ${args}`).stdout.trimEnd()
  const exec: Lab['exec'] = async (name, argv) => {
    const pid = pidOf(file, find(name))
    return (await run`nsenter -t ${pid} -m -u -i -n -p ${argv}`).stdout.trimEnd()
  }
  return {
    state: file.state,
    nodes: file.nodes,
    address: file.address,
    sshConfig: sshConfigOf(file),
    fault: createFault(file, { find, exec, diskMegabytes: file.diskMegabytes }),
    readTraffic: (machine) =>
      machine === HOST ? readHostTraffic(file) : readTraffic(pidOf(file, find(machine))),
    locateRoot(name) {
      const pid = findNode(file, find(name))
      return pid === undefined ? undefined : `/proc/${pid}/root`
    },
    docker: (name, ...args) => docker(find(name), ...args),
    asMachine: (argv) => joinGroup(`${file.id}/${HOST}`, argv),
    exec,
    async ssh(name, argv) {
      return (await run`ssh -F ${sshConfigOf(file)} ${find(name).name} ${quoteArgv(argv)}`).stdout.trimEnd()
    },
    async stop({ hasFailed = false } = {}) {
      if (hasFailed && process.env.KEEP_FAILED === '1') {
        console.error(`the lab stays as it is: npx zx test/swarm/lab/down.mjs --state ${file.state}`)
      } else await stopLab(file.state)
    },
  }
}

/** The lab as it is to be: nodes that are there already stay. */
async function planLab({
  nodes = 3,
  managers = 1,
  state = DEFAULT_STATE,
  diskMegabytes = 2048,
}: LabOptions): Promise<LabFile> {
  await checkIsLab(resolve(state))
  const former = await readLabFile(state)
  const wanted = Math.max(nodes, former?.nodes.length ?? 0)
  const leading = former ? former.nodes.filter(({ isManager }) => isManager).length : managers
  return {
    ...layOut({ state, nodes: wanted, managers: leading }),
    diskMegabytes: former?.diskMegabytes ?? diskMegabytes,
  }
}

async function readLabFile(state: string): Promise<LabFile | undefined> {
  const path = join(state, 'lab.json')
  return existsSync(path) ? (JSON.parse(await readFile(path, 'utf8')) as LabFile) : undefined
}

async function writeLabFile(file: LabFile): Promise<void> {
  await mkdir(file.state, { recursive: true })
  const path = join(file.state, 'lab.json')
  await writeFile(`${path}.partial`, `${JSON.stringify(file, null, 2)}\n`)
  await rename(`${path}.partial`, path)
}

/** Refuses a directory that holds anything else: `down` removes it whole. */
async function checkIsLab(state: string): Promise<void> {
  const isEmpty = !existsSync(state) || (await readdir(state)).length === 0
  if (!isEmpty && !existsSync(join(state, 'lab.json')))
    throw new Error(`${state} holds something else than a lab`)
}

function lockOf({ id }: Layout): string {
  return `/run/${id}.lock`
}
