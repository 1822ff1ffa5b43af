/**
 * How fast items come from a file into the gallery, beside the embedding server's own rate by its best direct client at the
 * same batch size; a second sending of the same file; and whether the gallery has every item once after several workers took
 * the same file in at a time and were killed at random. `--quick`: fewer items.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createRandom } from '../../lib/domain/random.ts'
import type { Measured, Task } from '../reembed/client.ts'
import { writeGallery } from '../reembed/texts.ts'
import type { TakeIn, Taken } from './worker.ts'

/** Batches at a time, and milliseconds of one of 64: a small model on one accelerator. */
const [LANES, BATCH_MS] = [4, 40]
const DIMENSIONS = 64
const IN_FLIGHT = [4, 6, 8, 12]
const WORKERS = 3

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const SIZES = values.quick
  ? { search: 6_000, items: 20_000, kills: 3 }
  : { search: 12_000, items: 100_000, kills: 8 }
const directory = mkdtempSync(join(tmpdir(), 'longshore-bench-'))
const children: ChildProcess[] = []
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const file = join(directory, 'items.jsonl')
await writeGallery(file, SIZES.items)
const [port] = await once(start('../reembed/server.ts', [DIMENSIONS, LANES, BATCH_MS]), 'message')
const url = `http://127.0.0.1:${port}`
const direct = await measureDirect()
const [first, again] = [await takeIn('state'), await takeIn('state')]
const survived = await takeInKilled()
console.table({
  'direct client': { itemsPerSecond: Math.round(direct), calls: Math.ceil(SIZES.items / 64) },
  'file to gallery': { itemsPerSecond: Math.round(first.itemsPerSecond), calls: first.calls },
  'the same again': { itemsPerSecond: Math.round(again.itemsPerSecond), calls: again.calls },
})
const result = {
  bench: 'ingest',
  efficiency: Math.round((1000 * first.itemsPerSecond) / direct) / 1000,
  lost: SIZES.items - Math.min(again.distinct, survived.distinct),
  doubled: Math.max(again.rows - again.distinct, survived.rows - survived.distinct),
  itemsPerSecond: Math.round(first.itemsPerSecond),
  againCalls: again.calls,
  againPerSecond: Math.round(again.itemsPerSecond),
  kills: SIZES.kills,
}
console.log(`RESULT ${JSON.stringify(result)}`)
process.exit(0)

/** The server's own rate: the best number of requests at a time, then as many items as are taken in, at most 50,000. */
async function measureDirect(): Promise<number> {
  const client = start('../reembed/client.ts', [])
  const about = { kind: 'direct', url, dimensions: DIMENSIONS } as const
  let best = { inFlight: 1, itemsPerSecond: 0 }
  for (const inFlight of IN_FLIGHT) {
    const { itemsPerSecond } = await ask<Measured>(client, { ...about, items: SIZES.search, inFlight })
    if (itemsPerSecond > best.itemsPerSecond) best = { inFlight, itemsPerSecond }
  }
  const items = Math.min(SIZES.items, 50_000)
  const { itemsPerSecond } = await ask<Measured>(client, { ...about, items, inFlight: best.inFlight })
  client.kill()
  return itemsPerSecond
}

async function takeIn(state: string): Promise<Taken> {
  const worker = start('worker.ts', [])
  const taken = await ask<Taken>(worker, {
    url,
    dimensions: DIMENSIONS,
    file,
    directory: join(directory, state),
  })
  worker.kill()
  return taken
}

/** What the gallery holds after workers that all send the same file were killed at random, and others went on. */
async function takeInKilled(): Promise<Taken> {
  const random = createRandom(SIZES.items)
  const task = { url, dimensions: DIMENSIONS, file, directory: join(directory, 'killed') }
  const begin = () => {
    const child = start('worker.ts', [])
    child.send(task)
    return { child, ended: Promise.race([once(child, 'message'), once(child, 'exit')]) }
  }
  const workers = Array.from({ length: WORKERS }, begin)
  for (let kill = 0; kill < SIZES.kills; kill++) {
    await wait(500 + 1500 * random())
    const [victim] = workers.splice(Math.floor(random() * workers.length), 1, begin())
    victim!.child.kill('SIGKILL')
  }
  for (const { child, ended } of workers) {
    await ended
    child.kill()
  }
  return await takeIn('killed')
}

function start(name: string, args: readonly unknown[]): ChildProcess {
  const child = fork(join(import.meta.dirname, name), args.map(String))
  child.once('exit', (code) => {
    if (code) throw new Error(`${name} ended with ${code}`)
  })
  children.push(child)
  return child
}

async function ask<Answer>(child: ChildProcess, task: Task | TakeIn): Promise<Answer> {
  child.send(task)
  const [answer] = (await once(child, 'message')) as [Answer]
  return answer
}
