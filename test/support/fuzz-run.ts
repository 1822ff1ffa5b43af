/**
 * Sends made-up requests to a gateway and an index service of this process: fuzz-run.ts BODIES SEED. Prints FuzzTotals as
 * JSON, after a signal for what was sent until then.
 */
import type { FuzzTotals } from '../../bench/fuzz/fuzz-totals.ts'
import { fuzz } from './fuzz.ts'
import { makeGatewayTarget, makeIndexTarget } from './fuzz-targets.ts'
import { makeGeneration } from './generation.ts'
import { makeTempDir } from './temp.ts'

const STEP = 4_000

const [wanted, firstSeed] = process.argv.slice(2).map(Number) as [number, number]
let isStopped = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    isStopped = true
  })
}
console.log(JSON.stringify(await sendAll()))
process.exit(0)

async function sendAll(): Promise<FuzzTotals> {
  const directory = makeTempDir()
  const manifest = await makeGeneration(directory, { dimensions: 8 })
  const targets = [makeGatewayTarget(), await makeIndexTarget(directory, manifest)]
  const statuses: Record<string, Record<number, number>> = {}
  let [bodies, seed] = [0, firstSeed]
  for (; bodies < wanted && !isStopped; seed++) {
    const step = Math.min(STEP, wanted - bodies)
    for (const target of targets) {
      const report = await fuzz(target, { bodies: Math.ceil(step / targets.length), seed })
      const sum = statuses[target.name] ?? {}
      statuses[target.name] = sum
      for (const [status, count] of Object.entries(report)) sum[+status] = (sum[+status] ?? 0) + count
    }
    bodies += step
    process.stderr.write(`${bodies} of ${wanted} bodies, ${process.memoryUsage.rss() >> 20} MiB\n`)
  }
  return { bodies, nextSeed: seed, statuses }
}
