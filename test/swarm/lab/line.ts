import { readFileSync } from 'node:fs'
import type { LabNode, Layout } from './layout.ts'
import { hostLink, portOf, switchOf } from './network.ts'
import { ask, run } from './quiet.ts'

export type Line = {
  /** Most megabits per second in each direction. */
  readonly mbit?: number
  /** Most megabits per second that the machine sends, and that it receives, where one of them differs. */
  readonly up?: number
  readonly down?: number
  /** Added to every packet in each direction, in milliseconds; the kernel must have netem. */
  readonly delayMs?: number
}

/** Where one end of a cable is found: a process in its network namespace, and the name of the device there. */
type End = readonly [pid: number, device: string]

/** Makes the node's line narrow or long, in both directions; an empty line is as good as new. */
export async function shapeLink(lab: Layout, node: LabNode, pid: number, line: Line): Promise<void> {
  await shapeCable(line, [pid, 'eth0'], [switchOf(lab), portOf(node)])
}

/** The same for the one line of this machine, which everything goes through that it says to nodes and they to it. */
export async function shapeHostLink(lab: Layout, line: Line): Promise<void> {
  await shapeCable(line, [process.pid, hostLink(lab)], [switchOf(lab), 'host'])
}

/** What a device sends is limited where it sends, and what it receives at the other end of its cable. */
async function shapeCable(
  { mbit, up = mbit, down = mbit, delayMs }: Line,
  own: End,
  other: End,
): Promise<void> {
  for (const [[where, device], rate] of [
    [own, up],
    [other, down],
  ] as const) {
    await ask`nsenter -t ${where} -n tc qdisc del dev ${device} root`
    const rule = renderRule(rate, delayMs)
    if (rule.length > 0) await run`nsenter -t ${where} -n tc qdisc replace dev ${device} root ${rule}`
  }
}

function renderRule(mbit: number | undefined, delayMs: number | undefined): string[] {
  const rate = mbit === undefined ? [] : ['rate', `${mbit}mbit`]
  if (delayMs !== undefined) return ['netem', 'delay', `${delayMs}ms`, ...rate]
  if (mbit === undefined) return []
  // 10 ms worth of bytes at once, and never less than a few packets.
  const burst = Math.max(32_768, Math.round((mbit * 1e6 * 0.01) / 8))
  return ['tbf', ...rate, 'burst', String(burst), 'latency', '100ms']
}

/** Bytes that went through a machine's line since it was plugged in. */
export type Traffic = { readonly sent: number; readonly received: number }

/** What went through the line of the node whose first process is `pid`. */
export function readTraffic(pid: number): Traffic {
  return readDevice(pid, 'eth0')
}

/** What this machine has said to nodes, and they to it. */
export function readHostTraffic(lab: Layout): Traffic {
  return readDevice(process.pid, hostLink(lab))
}

/** The kernel's own counters, as the network namespace of a process has them. */
function readDevice(pid: number, device: string): Traffic {
  const lines = readFileSync(`/proc/${pid}/net/dev`, 'utf8').split('\n')
  const line = lines.find((each) => each.trimStart().startsWith(`${device}:`))
  if (line === undefined) throw new Error(`there is no ${device} where process ${pid} runs`)
  const numbers = line.split(':')[1]!.trim().split(/\s+/).map(Number)
  return { received: numbers[0]!, sent: numbers[8]! }
}
