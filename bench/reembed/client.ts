/** Embeds as it is told, and tells how fast it was: a process of its own, so that its memory is its own. */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'undici'
import { createEmbeddingServer } from '../../lib/adapters/embed/create-server.ts'
import type { Entry } from '../../lib/domain/batch.ts'
import { hashContent } from '../../lib/domain/content.ts'
import { embedContents } from '../../lib/flows/embed-contents.ts'
import { isClientBound } from '../../lib/flows/embed-contents-counts.ts'
import { createForgetfulLedger, createMapLedger } from './map-ledger.ts'

export type Task = {
  /** `direct` sends `inFlight` requests at a time by itself; `driver` is what is measured. */
  readonly kind: 'direct' | 'driver'
  readonly url: string
  readonly dimensions: number
  readonly items: number
  readonly inFlight?: number
  /** Runs the driver a second time with what the first has kept. */
  readonly isRerun?: boolean
  /** Whether the ledger keeps nothing. */
  readonly isForgetful?: boolean
}

export type Measured = {
  readonly itemsPerSecond: number
  readonly window: number
  readonly rerunCalls: number
  readonly busyShare: number
  readonly isClientBound: boolean
  /** The most memory that the process has had so far. */
  readonly peakMiB: number
}

const BATCH = 64
const WORDS = 'harbour crane vessel pilot quay tide lock buoy cargo hatch berth anchor'.split(' ')

process.on('message', async (task: Task) => {
  const measured = await (task.kind === 'direct' ? embedDirectly(task) : embedByDriver(task))
  process.send?.({ ...measured, peakMiB: readPeak() } satisfies Measured)
})

/** The least that a client can do: requests, answers into float32, nothing else. */
async function embedDirectly({
  url,
  dimensions,
  items,
  inFlight = 1,
}: Task): Promise<Omit<Measured, 'peakMiB'>> {
  const dispatcher = new Agent({ connections: inFlight, headersTimeout: 0, bodyTimeout: 0 })
  const texts = Array.from({ length: items }, (_, at) => makeText(at))
  const begun = performance.now()
  let first = 0
  const work = async () => {
    while (first < items) {
      const batch = texts.slice(first, first + BATCH)
      first += BATCH
      const body = JSON.stringify({ inputs: batch })
      const reply = await request(`${url}/v1/models/m:predict`, { method: 'POST', dispatcher, body })
      const { outputs } = (await reply.body.json()) as { outputs: number[][] }
      const vectors = new Float32Array(batch.length * dimensions)
      for (const [at, row] of outputs.entries()) vectors.set(row, at * dimensions)
    }
  }
  const { utilization } = await measureUtilization(() => Promise.all(Array.from({ length: inFlight }, work)))
  const itemsPerSecond = (1000 * items) / (performance.now() - begun)
  await dispatcher.close()
  return { itemsPerSecond, window: inFlight, rerunCalls: 0, busyShare: utilization, isClientBound: false }
}

async function embedByDriver(task: Task): Promise<Omit<Measured, 'peakMiB'>> {
  const { url, dimensions, items, isRerun, isForgetful } = task
  const ledger = isForgetful ? createForgetfulLedger() : createMapLedger(dimensions)
  const server = createEmbeddingServer({
    endpoints: () => [url],
    model: { name: 'm', dimensions, normalized: true },
    extraction: { protocol: 'tf-serving' },
    timeoutMs: 60_000,
  })
  const { signal } = new AbortController()
  const run = () => embedContents({ source: makeEntries(items), server, ledger, signal })
  const counts = await run()
  if (counts.items !== items) throw new Error(`${counts.items} of ${items} were embedded`)
  const rerunCalls = isRerun ? (await run()).calls : 0
  await server.close()
  return {
    itemsPerSecond: (1000 * items) / counts.tookMs,
    window: counts.window,
    rerunCalls,
    busyShare: counts.busyMs / counts.tookMs,
    isClientBound: isClientBound(counts),
  }
}

async function* makeEntries(items: number): AsyncGenerator<Entry> {
  for (let at = 0; at < items; at++) {
    const content = { kind: 'text', text: makeText(at) } as const
    yield { hash: hashContent(content), content }
  }
}

/** A sentence of some 60 characters; each number has its own. */
function makeText(at: number): string {
  const words = Array.from({ length: 8 }, (_, place) => WORDS[(at * 7 + place * place) % WORDS.length])
  return `${words.join(' ')} ${at}`
}

async function measureUtilization(work: () => Promise<unknown>) {
  const before = performance.eventLoopUtilization()
  await work()
  return performance.eventLoopUtilization(before)
}

function readPeak(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024
}
