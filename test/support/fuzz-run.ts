/** Sends made-up requests to a gateway and an index service of this process: fuzz-run.ts BODIES SEED. Prints JSON. */
import { fuzz } from './fuzz.ts'
import { makeGatewayTarget, makeIndexTarget } from './fuzz-targets.ts'
import { makeGeneration } from './generation.ts'
import { makeTempDir } from './temp.ts'

const STEP = 20_000

const [bodies, seed] = process.argv.slice(2).map(Number) as [number, number]
const directory = makeTempDir()
const manifest = await makeGeneration(directory, { dimensions: 8 })
const targets = [makeGatewayTarget(), await makeIndexTarget(directory, manifest)]
const totals: Record<string, Record<number, number>> = {}
for (let sent = 0, step = 0; sent < bodies; sent += STEP, step++) {
  for (const target of targets) {
    const part = { bodies: Math.min(STEP, bodies - sent) / targets.length, seed: seed + step }
    const statuses = await fuzz(target, { ...part, bodies: Math.ceil(part.bodies) })
    const sum = totals[target.name] ?? {}
    totals[target.name] = sum
    for (const [status, count] of Object.entries(statuses)) sum[+status] = (sum[+status] ?? 0) + count
  }
  process.stderr.write(
    `${Math.min(bodies, sent + STEP)} of ${bodies} bodies, ${process.memoryUsage.rss() >> 20} MiB\r`,
  )
}
process.stderr.write('\n')
console.log(JSON.stringify(totals))
process.exit(0)
