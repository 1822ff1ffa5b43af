/**
 * What clients see of a gateway with two replicas of a shard while one is frozen, is killed, and while ten times as many
 * queries come as can be answered; and whether memory grows while they come for long. Rates are kept whatever the answers
 * do; times count from when a query was due.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Fleet, measureProcess, startFleet } from './fleet.ts'
import type { Seen, Task } from './load.ts'
import { makeServed } from './make-served.ts'
import { measureGrowth } from './measure-growth.ts'

const DATA = join(import.meta.dirname, '..', '.data', `tail-${process.pid}`)
const DIMENSIONS = 64
const QUERIES = 512
/** Enough to keep every thread busy; and more, for requests that wait are searched together. */
const CLIENTS = [32, 96]
const HEALTHY_SHARE = 0.25
const FAULT_AFTER_MS = 1_000
const MEASURE_EVERY_MS = 250
const OVERLOAD = 10

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const ROWS = values.quick ? 200_000 : 400_000
const lengths = values.quick
  ? { peak: 3, settle: 4, healthy: 5, fault: 6, overload: 10, after: 3, sustained: 30 }
  : { peak: 8, settle: 10, healthy: 20, fault: 20, overload: 60, after: 10, sustained: 120 }
rmSync(DATA, { recursive: true, force: true })
mkdirSync(DATA, { recursive: true })
const children: { stop(): void }[] = []
process.once('exit', clear)
// A frozen child would not end by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
try {
  console.log(`RESULT ${JSON.stringify({ bench: 'tail', ...(await measure()) })}`)
} finally {
  clear()
}

function clear(): void {
  for (const child of children) child.stop()
  rmSync(DATA, { recursive: true, force: true })
}

async function measure() {
  const { manifest, queries } = makeServed(DATA, { rows: ROWS, queries: QUERIES, dimensions: DIMENSIONS })
  const queriesFile = join(DATA, 'queries.f32')
  writeFileSync(queriesFile, new Uint8Array(queries.buffer))
  const fleet = await startFleet(DATA, manifest)
  children.push(fleet)
  const load = startLoad([String(fleet.port), queriesFile, String(DIMENSIONS)])
  const ask = (task: Task) => runLoad(load, task)
  const measurePeak = async () => {
    let peak = 0
    for (const clients of CLIENTS) {
      peak = Math.max(peak, describe(await ask({ seconds: lengths.peak, clients })).perSecond)
    }
    return peak
  }
  const faults = await measureFaults(fleet, ask, HEALTHY_SHARE * (await measurePeak()))
  console.table(faults)
  await fleet.replaceFirst()
  const peak = await measurePeak()
  const overload = await measureOverload(fleet, ask, peak)
  const growth = await measureGrowth({ gateway: fleet.gateway, index: fleet.replicas[1] }, () =>
    ask({ seconds: lengths.sustained, perSecond: peak / 2 }),
  )
  console.log(`anonymous MiB in each third of ${lengths.sustained} s at half of the peak`)
  console.table(growth)
  const { healthy, frozen, killed } = faults
  return {
    failed: frozen.failed + killed.failed,
    p99Ratio: round(frozen.p99Ms / healthy.p99Ms),
    killedP99Ratio: round(killed.p99Ms / healthy.p99Ms),
    ...overload,
    grownMiB: Math.max(...Object.values(growth).map(({ grown }) => grown)),
  }
}

type Ask = (task: Task) => Promise<Seen>

async function measureFaults({ replicas }: Fleet, ask: Ask, perSecond: number) {
  const [first] = replicas
  await ask({ seconds: lengths.settle, perSecond })
  const healthy = await ask({ seconds: lengths.healthy, perSecond })
  const during = async (signal: NodeJS.Signals) => {
    const asking = ask({ seconds: lengths.fault, perSecond })
    await wait(FAULT_AFTER_MS)
    const begun = performance.timeOrigin + performance.now()
    first.kill(signal)
    return describe(await asking, begun)
  }
  const frozen = await during('SIGSTOP')
  first.kill('SIGCONT')
  const thawed = describe(await ask({ seconds: lengths.healthy / 2, perSecond }))
  const killed = await during('SIGKILL')
  return { healthy: describe(healthy), frozen, thawed, killed }
}

async function measureOverload(fleet: Fleet, ask: Ask, peak: number) {
  const rows: Record<string, ReturnType<typeof describe> & Memory> = {}
  const phase = async (name: string, seconds: number, perSecond: number) => {
    const memory = watchMemory(fleet.gateway)
    const seen = await ask({ seconds, perSecond })
    rows[name] = { ...describe(seen), ...memory.stop() }
    return seen
  }
  await phase('before', lengths.after, peak / 2)
  await phase('overload', lengths.overload, peak * OVERLOAD)
  const after = await phase('after', lengths.after, peak / 2)
  console.table(rows)
  const goodputRatio = round(rows.overload!.perSecond / peak)
  const recoveryMs = Math.round(findRecovery(after, 3 * rows.before!.p99Ms))
  console.log(
    `peak ${peak} queries/s; under ${OVERLOAD} times as many ${goodputRatio} of it; as before after ${recoveryMs} ms`,
  )
  return { goodputRatio, overloadP99Ms: rows.overload!.p99Ms, recoveryMs, gatewayMiB: rows.overload!.mostMiB }
}

/** Milliseconds until the last query that failed or took longer than `limitMs`. */
function findRecovery({ due, tookMs, status }: Seen, limitMs: number): number {
  const ends = due.map((at, index) =>
    status[index] !== 200 || tookMs[index]! > limitMs ? at + tookMs[index]! : 0,
  )
  const start = due.reduce((first, at) => Math.min(first, at))
  return Math.max(0, ends.reduce((last, at) => Math.max(last, at)) - start)
}

/** Answers per second, what was not answered, and how long answers took, of the queries that were due from `begun` on. */
function describe({ due, tookMs, status }: Seen, begun = 0) {
  const chosen = due.flatMap((at, index) => (at >= begun ? [index] : []))
  const times = chosen.flatMap((index) => (status[index] === 200 ? [tookMs[index]!] : []))
  const sorted = times.toSorted((a, b) => a - b)
  const percentile = (share: number) => round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0)
  const ends = chosen.map((index) => due[index]! + tookMs[index]!)
  const first = chosen.reduce((least, index) => Math.min(least, due[index]!), Number.POSITIVE_INFINITY)
  const seconds = (ends.reduce((last, at) => Math.max(last, at), 0) - first) / 1000
  return {
    queries: chosen.length,
    perSecond: round(sorted.length / seconds),
    shed: chosen.filter((index) => status[index] === 503).length,
    failed: chosen.filter((index) => status[index] !== 200).length,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    mostMs: percentile(1),
  }
}

type Memory = { readonly mostMiB: number; readonly endMiB: number; readonly mostFiles: number }

function watchMemory(gateway: ChildProcess): { stop(): Memory } {
  const seen = [measureProcess(gateway)]
  const timer = setInterval(() => seen.push(measureProcess(gateway)), MEASURE_EVERY_MS)
  return {
    stop() {
      clearInterval(timer)
      return {
        mostMiB: Math.max(...seen.map(({ mib }) => mib)),
        endMiB: seen.at(-1)!.mib,
        mostFiles: Math.max(...seen.map(({ files }) => files)),
      }
    },
  }
}

function startLoad(args: readonly string[]): ChildProcess {
  const child = fork(join(import.meta.dirname, 'load.ts'), args, { serialization: 'advanced' })
  children.push({ stop: () => child.kill('SIGKILL') })
  return child
}

async function runLoad(load: ChildProcess, task: Task): Promise<Seen> {
  load.send(task)
  const [seen] = (await once(load, 'message')) as [Seen]
  return seen
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
