import { existsSync, readlinkSync } from 'node:fs'
import { eventually } from '../../support/eventually.ts'
import { listProcesses } from './cgroups.ts'
import { type LabNode, type Layout, numberOf } from './layout.ts'
import { ask, run } from './quiet.ts'
import { spawnInGroup } from './spawn.ts'

const BRIDGE = 'switch'

/**
 * Makes the switch that joins the nodes and this machine, unless it is there: a bridge in a network namespace of its
 * own, where the firewall of this machine has no say. A process that sleeps holds the namespace.
 */
export async function openSwitch(lab: Layout): Promise<void> {
  if (findSwitch(lab) === undefined) {
    await spawnInGroup(`${lab.id}/switch`, ['unshare', '--net', 'sleep', 'infinity'], '/dev/null')
  }
  const pid = await eventually(() => switchOf(lab), 60_000)
  if (!(await hasLink(pid, BRIDGE))) await ip(pid, [`link add ${BRIDGE} type bridge forward_delay 0`])
  await ip(pid, [`link set ${BRIDGE} up`])
  if (!existsSync(`/sys/class/net/${hostLink(lab)}`)) {
    await run`ip link add ${hostLink(lab)} address ${mac(254)} type veth peer name host netns ${pid}`
  }
  await ip(pid, [`link set host master ${BRIDGE} up`])
  await run`ip addr replace ${lab.address}/24 dev ${hostLink(lab)}`
  await run`ip link set ${hostLink(lab)} up`
}

/** Takes this machine's end of the cable away; the rest goes with the processes of the lab. */
export async function closeSwitch(lab: Layout): Promise<void> {
  // It may go by itself meanwhile, with the other end.
  await ask`ip link del ${hostLink(lab)}`
  await eventually(() => {
    if (existsSync(`/sys/class/net/${hostLink(lab)}`)) throw new Error(`${hostLink(lab)} cannot be removed`)
  }, 60_000)
}

/** Joins a node, whose first process is `pid`, to the switch; a cable it still has from an earlier life is replaced. */
export async function plugIn(lab: Layout, node: LabNode, pid: number): Promise<void> {
  const port = portOf(node)
  // It may go by itself meanwhile, with the other end.
  await ask`nsenter -t ${switchOf(lab)} -n ip link del ${port}`
  await eventually(async () => {
    if (await hasPort(lab, node)) throw new Error(`${port} cannot be removed`)
  }, 60_000)
  // The same hardware address at each boot, as real machines have: the others remember it.
  const address = mac(numberOf(node))
  await ip(switchOf(lab), [
    `link add ${port} type veth peer name eth0 address ${address} netns ${pid}`,
    `link set ${port} master ${BRIDGE} up`,
  ])
  // No way out: what is sent elsewhere fails at once, where it would time out.
  await ip(pid, [
    'link set lo up',
    `addr replace ${node.host}/24 dev eth0`,
    'link set eth0 up',
    'route replace unreachable default',
  ])
}

/** Whether the node has a cable to the switch, pulled or not. */
export async function hasPort(lab: Layout, node: LabNode): Promise<boolean> {
  return await hasLink(switchOf(lab), portOf(node))
}

/** Pulls the node's cable, or plugs it in again. */
export async function setLink(lab: Layout, node: LabNode, state: 'up' | 'down'): Promise<void> {
  await ip(switchOf(lab), [`link set ${portOf(node)} ${state}`])
}

/** The process that holds the switch, as soon as it has left this machine's own namespace. */
function findSwitch(lab: Layout): number | undefined {
  const own = readlinkSync('/proc/self/ns/net')
  return listProcesses(`${lab.id}/switch`).find((pid) => readlinkSync(`/proc/${pid}/ns/net`) !== own)
}

/** The process whose network namespace the switch is in. Raises when the lab does not run. */
export function switchOf(lab: Layout): number {
  const pid = findSwitch(lab)
  if (pid === undefined) throw new Error(`the lab in ${lab.state} does not run: npx zx test/swarm/lab/up.mjs`)
  return pid
}

async function hasLink(pid: number, name: string): Promise<boolean> {
  return (await ask`nsenter -t ${pid} -n ip link show ${name}`).exitCode === 0
}

async function ip(pid: number, lines: readonly string[]): Promise<void> {
  await run({ input: `${lines.join('\n')}\n` })`nsenter -t ${pid} -n ip -batch -`
}

/** This machine's end of its cable to the switch; the other end is `host`. */
export function hostLink({ id }: Layout): string {
  return `ls-${id.slice(-6)}`
}

/** The switch's end of a node's cable; the node's own end is eth0. */
export function portOf(node: LabNode): string {
  return `port${numberOf(node)}`
}

function mac(last: number): string {
  return `02:4c:41:42:00:${last.toString(16).padStart(2, '0')}`
}
