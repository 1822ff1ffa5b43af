/**
 * Random and mutated requests to a gateway and an index service in one process: none may crash it, be answered with a
 * status 5xx that is not meant, or with hits that are none. No peer: what counts is that it ends. Ended early by a signal,
 * it tells how far it came and the seed to go on with.
 * Options: --bodies N (10 million; 200,000 with --quick), --seed N.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import type { FuzzTotals } from './fuzz-totals.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    bodies: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
})
const wanted = Number(values.bodies ?? (values.quick ? 200_000 : 10_000_000))
const script = join(import.meta.dirname, '..', '..', 'test', 'support', 'fuzz-run.ts')
const start = performance.now()
const child = spawn(process.execPath, [script, String(wanted), values.seed], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
const ended = once(child, 'exit')
const output = await text(child.stdout)
const [code] = (await ended) as [number | null]
if (code !== 0) throw new Error(`the services ended with ${code}`)
const { bodies, nextSeed, statuses } = JSON.parse(output) as FuzzTotals
console.table(statuses)
if (bodies < wanted) {
  console.log(`ended early; to go on: npm run bench -- fuzz --bodies ${wanted - bodies} --seed ${nextSeed}`)
}
const seconds = Math.round((performance.now() - start) / 1000)
console.log(`RESULT ${JSON.stringify({ bench: 'fuzz', bodies, seconds, statuses })}`)
