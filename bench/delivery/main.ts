/**
 * Delivery of a generation to nodes of the lab, whose lines and this machine's are all narrowed alike: whole commands from
 * start to end, in units of T* = bytes / rate of a line. Beside it, in the same run, rsync from host to host, and scp.
 * `--only n8,delta5` runs some of it.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type LabFleet, startLabFleet } from './lab-fleet.ts'
import { type Change, ROW_BYTES, writeInput } from './make-input.ts'
import { timeRsync, timeScp } from './peers.ts'
import {
  measureDelta,
  measureKilled,
  measurePowerLoss,
  measureStraggler,
  measureWhole,
  round,
  type Subject,
  timeDirect,
} from './scenarios.ts'

const DATA = join(import.meta.dirname, '..', '.data', `delivery-${process.pid}`)
const MBIT = 50
const BYTES_PER_SECOND = (MBIT * 1e6) / 8
const MEGABYTES = { whole: 200, quick: 40, rsync: 25, unshaped: 400 }
const COUNTS = [1, 2, 4, 8]
const DELTA_NODES = 2
const CHANGES: Readonly<Record<string, Change | undefined>> = {
  delta1: { kind: 'changed', every: 100 },
  delta5: { kind: 'changed', every: 20 },
  inserted5: { kind: 'replaced', every: 20 },
  identical: undefined,
}

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
})
const only = values.only?.split(',')
const isWanted = (name: string) => only === undefined || only.includes(name)
const result: Record<string, unknown> = { bench: 'delivery' }
let fleet: LabFleet | undefined
let isStopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stop().then(() => process.exit(130)))
try {
  rmSync(DATA, { recursive: true, force: true })
  mkdirSync(DATA, { recursive: true })
  fleet = await startLabFleet(DATA, Math.max(...COUNTS))
  await measure(fleet)
} finally {
  await stop()
}
console.log(`RESULT ${JSON.stringify(result)}`)

async function stop(): Promise<void> {
  if (isStopping) return
  isStopping = true
  await fleet?.stop()
  rmSync(DATA, { recursive: true, force: true })
}

async function measure(fleet: LabFleet): Promise<void> {
  const megabytes = values.quick ? MEGABYTES.quick : MEGABYTES.whole
  const rows = Math.round((megabytes * 1e6) / ROW_BYTES)
  const whole = await makeSubject(fleet, 'dg_1', rows)
  console.log(`${round(whole.bytes / 1e6)} MB, lines of ${MBIT} Mbit/s: T* = ${round(whole.ideal)} s`)
  await fleet.shape(MBIT)
  for (const count of COUNTS) await tell(`n${count}`, () => measureWhole(whole, count))
  await measureDeltas(fleet, whole, rows)
  await tell('straggler', () => measureStraggler(whole, MBIT))
  await tell('powerLoss', () => measurePowerLoss(whole, MBIT))
  await tell('killed', () => measureKilled(whole))
  await fleet.clear()
  await tell('rsyncSerialN8', () => measureRsync(fleet))
  await fleet.shape()
  await tell('unshaped', () => measureUnshaped(fleet))
}

/** Each change against dg_1, which two nodes hold: what is carried is the same for any number, what is said to each is not. */
async function measureDeltas(fleet: LabFleet, whole: Subject, rows: number): Promise<void> {
  if (!Object.keys(CHANGES).some(isWanted)) return
  await fleet.shape()
  await fleet.deliver(whole.generation, { nodes: fleet.names.slice(0, DELTA_NODES) })
  await fleet.shape(MBIT)
  for (const [index, [name, change]] of Object.entries(CHANGES).entries()) {
    const measureOne = async () =>
      measureDelta(await makeSubject(fleet, `dg_${2 + index}`, rows, change), DELTA_NODES)
    await tell(name, measureOne)
  }
}

/** A smaller input: what rsync takes for one node after the other is the same in units of T*. */
async function measureRsync(fleet: LabFleet) {
  const { bytes, ideal } = await makeSubject(fleet, 'dg_90', Math.round((MEGABYTES.rsync * 1e6) / ROW_BYTES))
  const seconds = await timeRsync(fleet, join(DATA, 'dgs', 'dg_90'))
  return { megabytes: round(bytes / 1e6), seconds: round(seconds), overIdeal: round(seconds / ideal) }
}

/** Rates to one node in turn, so that whatever else the machine does meets both alike. */
async function measureUnshaped(fleet: LabFleet) {
  const subject = await makeSubject(fleet, 'dg_91', Math.round((MEGABYTES.unshaped * 1e6) / ROW_BYTES))
  const directory = join(DATA, 'dgs', 'dg_91')
  const megabytes = subject.bytes / 1e6
  const rates: { scp: number; ours: number; sent: number }[] = []
  for (let pair = 0; pair < 3; pair++) {
    const scp = megabytes / (await timeScp(fleet, directory))
    const { sent, published } = await timeDirect(subject)
    rates.push({ scp, ours: megabytes / published, sent: megabytes / sent })
  }
  const median = (numbers: readonly number[]) => round(numbers.toSorted((a, b) => a - b)[1]!)
  return {
    scpMBps: median(rates.map(({ scp }) => scp)),
    oursMBps: median(rates.map(({ ours }) => ours)),
    ratio: median(rates.map(({ scp, ours }) => ours / scp)),
    // As scp does it: neither read back nor on the disk.
    unverifiedRatio: median(rates.map(({ scp, sent }) => sent / scp)),
  }
}

async function makeSubject(
  fleet: LabFleet,
  generation: string,
  rows: number,
  change?: Change,
): Promise<Subject> {
  const input = join(DATA, 'input')
  writeInput(input, rows, change)
  const bytes = await fleet.split(input, generation)
  return { fleet, generation, bytes, ideal: bytes / BYTES_PER_SECOND }
}

/** Measures what is wanted, shows it, and remembers it for the result. */
async function tell(name: string, measureOne: () => Promise<Record<string, unknown>>): Promise<void> {
  if (!isWanted(name)) return
  const measured = await measureOne()
  console.table({ [name]: measured })
  result[name] = measured
}
