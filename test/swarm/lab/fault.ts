import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../../support/eventually.ts'
import { askEngine, askSshd, bootNode, findNode, groupOf } from './boot.ts'
import { freezeGroup, killGroup } from './cgroups.ts'
import type { LabNode, Layout } from './layout.ts'
import { type Line, shapeHostLink, shapeLink } from './line.ts'
import { setLink } from './network.ts'

/** Programs of a node that are kept running. */
export type Program = 'dockerd' | 'sshd'

/** Everything that can happen to a node, and its end. All of them resolve when it has happened. */
export type Fault = {
  /** Pulls the network cable. */
  cut(node: string): Promise<void>
  heal(node: string): Promise<void>
  /** Narrows or lengthens the line of a node, or of this machine by the name `host`; `{}` is as good as new. */
  shape(node: string, line: Line): Promise<void>
  /** Ends a program with SIGKILL, sessions of sshd too; it comes back by itself, 1 s (sshd) or 2 s (dockerd) later. */
  kill(node: string, program: Program): Promise<void>
  /** Ends a program with SIGTERM, and keeps it from coming back. */
  stop(node: string, program: Program): Promise<void>
  /** Lets a program come back, and waits until it answers. */
  start(node: string, program: Program): Promise<void>
  /** Leaves so many bytes free on the disk of the index directory. */
  fillDisk(node: string, bytesFree?: number): Promise<void>
  freeDisk(node: string): Promise<void>
  /** Stops every process of the node, containers and sshd included, as a machine that hangs. */
  freeze(node: string): Promise<void>
  thaw(node: string): Promise<void>
  /** Ends every process at once, as a power failure does. */
  powerOff(node: string): Promise<void>
  powerOn(node: string): Promise<void>
}

type FaultParts = {
  readonly find: (name: string) => LabNode
  readonly exec: (name: string, argv: readonly string[]) => Promise<string>
  readonly diskMegabytes: number
}

/** What this machine is called where its line is meant. */
export const HOST = 'host'

const FILLER = '/var/lib/longshore/.filler'
const ASK = { dockerd: askEngine, sshd: askSshd }

/** What can be done to the nodes of a lab. Each raises for a name that no node has. */
export function createFault(lab: Layout, { find, exec, diskMegabytes }: FaultParts): Fault {
  const signal = async (node: string, program: Program, name: 'KILL' | 'TERM') => {
    // Every sshd of the node belongs to it alone, so that sessions can go by the program's name.
    const victims = program === 'sshd' ? '$(pgrep -x sshd)' : '$(cat /run/lab/dockerd.pid)'
    await exec(node, ['sh', '-c', `kill -${name} ${victims}`])
  }
  const switchFile = (node: string, program: Program) =>
    join(lab.state, find(node).name, `run/${program}.off`)
  return {
    cut: (node) => setLink(lab, find(node), 'down'),
    heal: (node) => setLink(lab, find(node), 'up'),
    shape: (node, line) =>
      node === HOST ? shapeHostLink(lab, line) : shapeLink(lab, find(node), pidOf(lab, find(node)), line),
    kill: (node, program) => signal(node, program, 'KILL'),
    async stop(node, program) {
      await writeFile(switchFile(node, program), '')
      await signal(node, program, 'TERM')
      await exec(node, [
        'sh',
        '-c',
        `while kill -0 $(cat /run/lab/${program}.pid); do sleep 0.05; done 2>/dev/null`,
      ])
    },
    async start(node, program) {
      await rm(switchFile(node, program), { force: true })
      await eventually(() => ASK[program](find(node)), 60_000)
    },
    async fillDisk(node, bytesFree = 0) {
      if (diskMegabytes === 0) throw new Error(`${node} has no disk of its own that could be filled`)
      // The file system may lack room for its own notes on the last block, and then has none left: as it should be.
      const fill = 'fallocate --length "$1" "$2" || [ "$(df --output=avail -B1 "$2" | tail -n 1)" -le "$3" ]'
      const free = await exec(node, ['df', '--output=avail', '-B1', '/var/lib/longshore'])
      const bytes = Number(free.split('\n')[1]) - bytesFree
      if (bytes > 0) await exec(node, ['sh', '-c', fill, 'sh', `${bytes}`, FILLER, `${bytesFree}`])
    },
    freeDisk: async (node) => void (await exec(node, ['rm', '-f', FILLER])),
    freeze: async (node) => freezeGroup(groupOf(lab, find(node)), true),
    thaw: async (node) => freezeGroup(groupOf(lab, find(node)), false),
    powerOff: (node) => killGroup(groupOf(lab, find(node))),
    powerOn: (node) => bootNode(lab, find(node), diskMegabytes),
  }
}

/** The first process of a node, by its number on this machine. Raises when the node is off. */
export function pidOf(lab: Layout, node: LabNode): number {
  const pid = findNode(lab, node)
  if (pid === undefined) throw new Error(`${node.name} is off`)
  return pid
}
