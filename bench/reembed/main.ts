/**
 * How much of what an embedding server gives to its best direct client the driver gets out of it, at the same batch size
 * and in one run, with its ledger on disk; what a second run asks for; and, over many items, the memory of a run and the
 * time in which another process finds that nothing is left to do. `--quick`: fewer of them.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Measured, Task } from './client.ts'
import { writeGallery } from './texts.ts'

/** Batches at a time, and milliseconds of one of 64: a small model on one accelerator. */
const SERVER = { lanes: 4, ms: 40 }
/** So fast that the client is what is measured. */
const FAST = { lanes: 32, ms: 2 }
const IN_FLIGHT = [2, 4, 6, 8, 12, 16]

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const SIZES = values.quick
  ? { search: 6_000, rounds: 2, items: 30_000, many: 100_000 }
  : { search: 12_000, rounds: 3, items: 80_000, many: 1_000_000 }
const directory = mkdtempSync(join(tmpdir(), 'longshore-bench-'))
const children: ChildProcess[] = []
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const [small, large] = [await compare(64), await compare(512)]
const [many, again] = await embedMany()
console.table({ '64 dimensions': small, '512 dimensions': large })
console.log(
  `${SIZES.many} items of 64 dimensions from a server that is never late: ${Math.round(many.itemsPerSecond)}/s, ` +
    `${Math.round(100 * many.busyShare)} % at work, at most ${Math.round(many.peakMiB)} MiB`,
)
console.log(
  `the same ${SIZES.many} items checked by a second run in ${again.rerunSeconds.toFixed(2)} s with ` +
    `${again.rerunCalls} calls, at most ${Math.round(again.peakMiB)} MiB`,
)
const result = {
  bench: 'reembed',
  efficiency: Math.min(small.efficiency, large.efficiency),
  rerunCalls: small.rerunCalls + large.rerunCalls + again.rerunCalls,
  itemsPerSecond: large.driver,
  peakMiB: Math.round(many.peakMiB),
  efficiency64: small.efficiency,
  efficiency512: large.efficiency,
  mostPerSecond: Math.round(many.itemsPerSecond),
  checkSeconds: round(again.rerunSeconds),
}
console.log(`RESULT ${JSON.stringify(result)}`)
process.exit(0)

/** Driver and direct client in turn, at one server; the medians of their rounds. */
async function compare(dimensions: number) {
  const url = await startServer(dimensions, SERVER)
  const client = startClient()
  const about = { url, dimensions }
  let best = { inFlight: 1, itemsPerSecond: 0 }
  for (const inFlight of IN_FLIGHT) {
    const { itemsPerSecond } = await runTask(client, {
      ...about,
      ...{ kind: 'direct', items: SIZES.search, inFlight },
    })
    if (itemsPerSecond > best.itemsPerSecond) best = { inFlight, itemsPerSecond }
  }
  const direct: Measured[] = []
  const driver: Measured[] = []
  for (let round = 0; round < SIZES.rounds; round++) {
    const { inFlight } = best
    const same = { ...about, items: SIZES.items, directory: join(directory, 'ledger') }
    direct.push(await runTask(client, { ...same, kind: 'direct', inFlight }))
    driver.push(await runTask(client, { ...same, kind: 'driver' }))
  }
  client.kill()
  const [slow, fast] = [medianOf(driver), medianOf(direct)]
  return {
    direct: Math.round(fast),
    inFlight: best.inFlight,
    driver: Math.round(slow),
    window: driver.at(-1)!.window,
    busyShare: round(driver.at(-1)!.busyShare),
    efficiency: round(slow / fast),
    rerunCalls: driver.reduce((sum, { rerunCalls }) => sum + rerunCalls, 0),
  }
}

/** A gallery of many items embedded by one process, and looked through again by the next. */
async function embedMany(): Promise<[Measured, Measured]> {
  const gallery = join(directory, 'gallery.jsonl')
  await writeGallery(gallery, SIZES.many)
  const url = await startServer(64, FAST)
  const task = { url, dimensions: 64, items: SIZES.many, directory: join(directory, 'ledger'), gallery }
  const ask = (kind: 'fill' | 'check') => runTask(startClient(), { ...task, kind })
  return [await ask('fill'), await ask('check')]
}

async function startServer(dimensions: number, { lanes, ms }: typeof SERVER): Promise<string> {
  const [port] = await once(start('server.ts', [dimensions, lanes, ms].map(String)), 'message')
  return `http://127.0.0.1:${port}`
}

function startClient(): ChildProcess {
  return start('client.ts', [])
}

function start(file: string, args: readonly string[]): ChildProcess {
  const child = fork(join(import.meta.dirname, file), args)
  child.once('exit', (code) => {
    if (code) throw new Error(`${file} ended with ${code}`)
  })
  children.push(child)
  return child
}

async function runTask(client: ChildProcess, task: Task): Promise<Measured> {
  client.send(task)
  const [measured] = (await once(client, 'message')) as [Measured]
  return measured
}

function medianOf(measured: readonly Measured[]): number {
  const rates = measured.map(({ itemsPerSecond }) => itemsPerSecond).sort((a, b) => a - b)
  return rates[Math.floor(rates.length / 2)]!
}

function round(value: number): number {
  return Math.round(1000 * value) / 1000
}
