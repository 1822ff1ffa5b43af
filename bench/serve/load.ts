/**
 * The load on both stacks, in a process of its own: so many keep-alive clients, each asking its next query when it has an
 * answer. Prints one line of JSON.
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'undici'

export type LoadOptions = {
  readonly url: string
  readonly queriesFile: string
  readonly clients: number
  readonly seconds: number
  readonly form: 'longshore' | 'reference'
}

export type LoadReport = {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly failures: number
  readonly recall10: number
}

const K = 10
const options = JSON.parse(process.argv[2]!) as LoadOptions
const { vectors, exact } = JSON.parse(readFileSync(options.queriesFile, 'utf8')) as {
  vectors: number[][]
  exact: number[][]
}
const isOurs = options.form === 'longshore'
const bodies = vectors.map((vector) => JSON.stringify(isOurs ? { vector, k: K } : { vector }))
const found = new Map<number, readonly number[]>()
const latencies: number[] = []
let failures = 0

const start = performance.now()
const end = start + options.seconds * 1000
await Promise.all(Array.from({ length: options.clients }, (_, client) => askUntilEnd(client)))
console.log(JSON.stringify(describe((performance.now() - start) / 1000)))

async function askUntilEnd(client: number): Promise<void> {
  const dispatcher = new Agent({ connections: 1, pipelining: 1 })
  const stride = Math.floor(bodies.length / options.clients)
  for (let at = client * stride; performance.now() < end; at = (at + 1) % bodies.length) {
    const asked = performance.now()
    try {
      const reply = await request(options.url, {
        method: 'POST',
        dispatcher,
        headers: { 'content-type': 'application/json' },
        body: bodies[at]!,
      })
      const text = await reply.body.text()
      if (reply.statusCode !== 200) throw new Error(text)
      latencies.push(performance.now() - asked)
      if (at < exact.length && !found.has(at)) found.set(at, readRows(text))
    } catch (error) {
      if (failures++ === 0) console.error(error)
    }
  }
  await dispatcher.close()
}

/** The rows of the items that were found. */
function readRows(text: string): number[] {
  const answer = JSON.parse(text) as { hits: { id: string }[]; nearest: number[] }
  return isOurs ? answer.hits.map(({ id }) => Number(id.slice(1))) : answer.nearest.slice(0, K)
}

function describe(seconds: number): LoadReport {
  const shares = [...found].map(([at, rows]) => rows.filter((row) => exact[at]!.includes(row)).length / K)
  const sorted = latencies.toSorted((a, b) => a - b)
  const percentile = (share: number) => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2))
  return {
    perSecond: Number((latencies.length / seconds).toFixed(1)),
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    failures,
    recall10: Number((shares.reduce((sum, share) => sum + share, 0) / shares.length).toFixed(4)),
  }
}
