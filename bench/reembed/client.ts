/** Embeds as it is told, and tells how fast it was: a process of its own, so that its memory is its own. */
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Agent, request } from 'undici'
import { createEmbeddingServer } from '../../lib/adapters/embed/create-server.ts'
import { createItemFiles } from '../../lib/adapters/inputs/item-files.ts'
import { openInput } from '../../lib/adapters/inputs/open-input.ts'
import { createLedgerStore } from '../../lib/adapters/ledger/store.ts'
import { embedContents } from '../../lib/flows/embed-contents.ts'
import { type EmbedCounts, isClientBound } from '../../lib/flows/embed-contents-counts.ts'
import { findMissing, type Tally } from '../../lib/flows/gallery.ts'
import { makeEntries, makeText } from './texts.ts'

export type Task = {
  readonly url: string
  readonly dimensions: number
  readonly items: number
} & (
  | { readonly kind: 'direct'; readonly inFlight: number }
  | {
      /** `fill` embeds what the ledger lacks, `check` finds that it lacks nothing, `driver` does both and removes it. */
      readonly kind: 'driver' | 'fill' | 'check'
      /** Holds the ledger. */
      readonly directory: string
      /** A file of items, where they are not made up on the way. */
      readonly gallery?: string
    }
)

export type Measured = {
  readonly itemsPerSecond: number
  readonly window: number
  readonly busyShare: number
  readonly isClientBound: boolean
  /** Requests of the run over what was embedded already, and how long it took, with opening the ledger. */
  readonly rerunCalls: number
  readonly rerunSeconds: number
  /** The most memory that the process has had so far. */
  readonly peakMiB: number
}

type Driven = Extract<Task, { readonly directory: string }>

const BATCH = 64
const IDLE = { rerunCalls: 0, rerunSeconds: 0 }
const { signal } = new AbortController()

process.on('message', async (task: Task) => {
  const measured = await (task.kind === 'direct' ? embedDirectly(task) : embedByDriver(task))
  process.send?.({ ...measured, peakMiB: readPeak() } satisfies Measured)
})

/** The least that a client can do: requests, answers into float32, nothing else. */
async function embedDirectly({ url, dimensions, items, inFlight }: Extract<Task, { kind: 'direct' }>) {
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
  return { ...IDLE, itemsPerSecond, window: inFlight, busyShare: utilization, isClientBound: false }
}

async function embedByDriver(task: Driven): Promise<Omit<Measured, 'peakMiB'>> {
  const { items, directory, kind } = task
  const filled = kind === 'check' ? undefined : await embedOnce(task)
  if (filled && filled.items !== items) throw new Error(`${filled.items} of ${items} were embedded`)
  const begun = performance.now()
  const checked = kind === 'fill' ? undefined : await embedOnce(task)
  const rerunSeconds = (performance.now() - begun) / 1000
  if (kind === 'driver') await rm(directory, { recursive: true })
  const told = (filled ?? checked)!
  return {
    itemsPerSecond: (1000 * items) / told.tookMs,
    window: told.window,
    rerunCalls: checked?.calls ?? 0,
    rerunSeconds,
    busyShare: told.busyMs / told.tookMs,
    isClientBound: isClientBound(told),
  }
}

/** One run as commands make it, with the ledger that they keep. */
async function embedOnce({ url, dimensions, items, directory, gallery }: Driven): Promise<EmbedCounts> {
  const store = createLedgerStore({ directory, owner: 'bench' })
  const ledger = await store.open({ fingerprint: 'sha256:bench', dimensions })
  const server = createEmbeddingServer({
    endpoints: () => [url],
    model: { name: 'm', dimensions, normalized: true },
    extraction: { protocol: 'tf-serving' },
    timeoutMs: 60_000,
  })
  try {
    const source = gallery === undefined ? makeEntries(items) : await readGallery(gallery, { ledger, items })
    return await embedContents({ source, server, ledger, signal })
  } finally {
    await server.close()
    await ledger.close()
  }
}

async function readGallery(
  path: string,
  { ledger, items }: { readonly ledger: Parameters<typeof findMissing>[1]; readonly items: number },
) {
  const tally: Tally = { items: 0, embedded: 0, dead: 0, repeated: 0, lacking: 0 }
  const gallery = { input: await openInput(path), files: createItemFiles(), root: undefined }
  return (async function* () {
    yield* findMissing(gallery, ledger, { tally, signal })
    if (tally.items !== items) throw new Error(`${tally.items} of ${items} items were looked at`)
  })()
}

async function measureUtilization(work: () => Promise<unknown>) {
  const before = performance.eventLoopUtilization()
  await work()
  return performance.eventLoopUtilization(before)
}

function readPeak(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024
}
