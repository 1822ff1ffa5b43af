/**
 * How much of what an embedding server gives to its best direct client the driver gets out of it, at the same batch size
 * and in one run; what a second run asks for; and the memory of a run over many items. `--quick`: fewer of them.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Measured, Task } from './client.ts'

/** Batches at a time, and milliseconds of one of 64: a small model on one accelerator. */
const SERVER = { lanes: 4, ms: 40 }
/** So fast that the client is what is measured. */
const FAST = { lanes: 32, ms: 2 }
const IN_FLIGHT = [2, 4, 6, 8, 12, 16]

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const SIZES = values.quick
  ? { search: 6_000, rounds: 2, items: 30_000, many: 100_000 }
  : { search: 12_000, rounds: 3, items: 80_000, many: 1_000_000 }
const children: ChildProcess[] = []
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const [small, large] = [await compare(64), await compare(512)]
const many = await embedMany()
console.table({ '64 dimensions': small, '512 dimensions': large })
console.log(
  `${SIZES.many} items of 64 dimensions from a server that is never late: ${Math.round(many.itemsPerSecond)}/s, ` +
    `${Math.round(100 * many.busyShare)} % at work, at most ${Math.round(many.peakMiB)} MiB`,
)
const result = {
  bench: 'reembed',
  efficiency: Math.min(small.efficiency, large.efficiency),
  rerunCalls: small.rerunCalls + large.rerunCalls,
  itemsPerSecond: large.driver,
  peakMiB: Math.round(many.peakMiB),
  efficiency64: small.efficiency,
  efficiency512: large.efficiency,
  mostPerSecond: Math.round(many.itemsPerSecond),
}
console.log(`RESULT ${JSON.stringify(result)}`)
process.exit(0)

/** Driver and direct client in turn, at one server; the medians of their rounds. */
async function compare(dimensions: number) {
  const url = await startServer(dimensions, SERVER)
  const client = startClient()
  const ask = (task: Omit<Task, 'url' | 'dimensions'>) => runTask(client, { ...task, url, dimensions })
  let best = { inFlight: 1, itemsPerSecond: 0 }
  for (const inFlight of IN_FLIGHT) {
    const { itemsPerSecond } = await ask({ kind: 'direct', items: SIZES.search, inFlight })
    if (itemsPerSecond > best.itemsPerSecond) best = { inFlight, itemsPerSecond }
  }
  const direct: Measured[] = []
  const driver: Measured[] = []
  for (let round = 0; round < SIZES.rounds; round++) {
    direct.push(await ask({ kind: 'direct', items: SIZES.items, inFlight: best.inFlight }))
    driver.push(await ask({ kind: 'driver', items: SIZES.items, isRerun: true }))
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

async function embedMany(): Promise<Measured> {
  const url = await startServer(64, FAST)
  return await runTask(startClient(), {
    kind: 'driver',
    url,
    dimensions: 64,
    items: SIZES.many,
    isForgetful: true,
  })
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
