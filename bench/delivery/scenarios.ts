import { setTimeout as wait } from 'node:timers/promises'
import type { LabFleet, Run, Running } from './lab-fleet.ts'

/** What one run is measured by; `ideal` is T* = bytes / rate of a link, in seconds. */
export type Subject = {
  readonly fleet: LabFleet
  readonly generation: string
  readonly bytes: number
  readonly ideal: number
}

const LOOK_EVERY_MS = 100
/** More than a relay waits for a word of the command that started it. */
const LEFTOVER_MS = 35_000
const SLOW_SHARE = 0.1

/** A whole generation to the first `count` nodes, which have nothing. */
export async function measureWhole({ fleet, generation, bytes, ideal }: Subject, count: number) {
  await fleet.clear()
  const run = expectDone(await fleet.deliver(generation, { nodes: fleet.names.slice(0, count) }))
  console.table(run.timeline)
  return {
    seconds: round(run.seconds),
    idle: round(run.idle),
    overIdeal: round(run.seconds / ideal),
    controlBytesRatio: round(run.sent / bytes),
  }
}

/**
 * Seconds from the first look at one node, without the start of the command and the gates: until the last byte was on its way,
 * and until the node shows the generation, verified and on its disk.
 */
export async function timeDirect({
  fleet,
  generation,
}: Subject): Promise<{ sent: number; published: number }> {
  const { timeline } = expectDone(await fleet.deliver(generation, { nodes: fleet.names.slice(0, 1) }))
  const [told] = timeline as readonly [Readonly<Record<'started' | 'received' | 'published', number>>]
  await fleet.clear(generation)
  const { started, received, published } = told
  return { sent: (received - started) / 1000, published: (published - started) / 1000 }
}

/** A generation to nodes that hold another one, which they keep. */
export async function measureDelta({ fleet, generation, bytes, ideal }: Subject, count: number) {
  const run = expectDone(await fleet.deliver(generation, { nodes: fleet.names.slice(0, count) }))
  await fleet.clear(generation)
  return {
    seconds: round(run.seconds),
    overIdeal: round(run.seconds / ideal),
    bytesRatio: round(run.sent / bytes, 5),
  }
}

/** The last node's line has a tenth of the rate; the command is ended once the others have the generation. */
export async function measureStraggler({ fleet, generation, ideal }: Subject, mbit: number) {
  const { others, last } = divide(fleet)
  await fleet.clear()
  await fleet.lab.fault.shape(last, { mbit: mbit * SLOW_SHARE })
  const during = async (running: Running) => {
    await waitFor(running, ({ published }) => others.every((node) => node in published))
    running.kill('SIGINT')
  }
  const { published } = await fleet.deliver(generation, { nodes: fleet.names, during })
  await fleet.lab.fault.shape(last, { mbit })
  return { othersSeconds: slowest(published, others), othersOverIdeal: slowest(published, others) / ideal }
}

/** The last node loses power half way, and comes back before the next run. */
export async function measurePowerLoss({ fleet, generation, bytes, ideal }: Subject, mbit: number) {
  const { others, last } = divide(fleet)
  await fleet.clear()
  const during = async (running: Running) => {
    await waitFor(running, () => fleet.countHeld(last, generation) > bytes / 2)
    await fleet.lab.fault.powerOff(last)
  }
  const run = await fleet.deliver(generation, { nodes: fleet.names, during })
  await fleet.lab.fault.powerOn(last)
  await fleet.lab.fault.shape(last, { mbit })
  const missing = bytes - fleet.countHeld(last, generation)
  const next = await fleet.deliver(generation, { nodes: fleet.names })
  return {
    exitCode: run.code,
    seconds: round(run.seconds),
    othersOverIdeal: slowest(run.published, others) / ideal,
    nextExitCode: next.code,
    nextOverMissing: round(next.received[last]! / missing),
  }
}

/** SIGKILL for the command half way; the next run brings what is missing. */
export async function measureKilled({ fleet, generation, bytes }: Subject) {
  const nodes = fleet.names.slice(0, Math.min(4, fleet.names.length))
  const countMissing = () => nodes.map((node) => bytes - fleet.countHeld(node, generation))
  await fleet.clear()
  const during = async (running: Running) => {
    await waitFor(running, () => Math.min(...countMissing()) < bytes / 2)
    running.kill('SIGKILL')
  }
  const killed = await fleet.deliver(generation, { nodes, during })
  await wait(LEFTOVER_MS)
  const missing = countMissing()
  const next = expectDone(await fleet.deliver(generation, { nodes }))
  const received = nodes.reduce((sum, node) => sum + next.received[node]!, 0)
  return {
    shownEarly: Object.keys(killed.published).length,
    missing: round(sum(missing) / (bytes * nodes.length)),
    receivedOverMissing: round(received / sum(missing)),
    sentOverMissing: round(next.sent / sum(missing)),
  }
}

function divide({ names }: LabFleet) {
  return { others: names.slice(0, -1), last: names.at(-1)! }
}

/** Seconds until the last of these nodes had the generation; infinite where one never had. */
function slowest(published: Run['published'], nodes: readonly string[]): number {
  return round(Math.max(...nodes.map((node) => published[node] ?? Number.POSITIVE_INFINITY)))
}

async function waitFor(running: Running, isReached: (running: Running) => boolean): Promise<void> {
  while (!isReached(running)) {
    if (running.hasEnded()) throw new Error('the command ended before anything could happen to it')
    await wait(LOOK_EVERY_MS)
  }
}

function expectDone(run: Run): Run {
  if (run.code !== 0) throw new Error(`deliver.mjs ended with exit code ${run.code}: ${run.stderr}`)
  return run
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

export function round(value: number, digits = 3): number {
  return Math.round(value * 10 ** digits) / 10 ** digits
}
