/**
 * The planner of deliveries against simulated links, for fleets far larger than any at hand. Time is simulated and links
 * are fluids: headers, hashing and disks cost nothing here, which `npm run bench -- delivery` measures for a few nodes.
 *
 * Over ideal: when a node had everything, over what it takes to bring all bytes over the slower of its own link and the
 * control host's. Kraken's figures are the published ones for 2,600 hosts, a blob of 3 GB and links of 300 MB/s.
 */
import { parseArgs } from 'node:util'
import { createRandom, sampleNumbers } from '../../lib/domain/random.ts'
import { type Simulated, simulate } from './simulate.ts'
import type { SimulatedNode } from './world.ts'

const KRAKEN = { nodes: 2_600, p50: 1, p99: 1.8, p999: 2.2 }
const BYTES = 3e9
const RATE = 300e6 / 1000
const SLOW_SHARE = 0.02
const SLOW_RATE = RATE / 10
const FAILING_SHARE = 0.01
const ROUND_TRIP_MS = 1
const NOTICE_MS = 5_000
const SMALL = [1, 2, 4, 8]
/** As many as a generation of 64 MiB has. */
const SMALL_PIECES = 256

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const [sizes, pieces] = values.quick
  ? [[10, 100, KRAKEN.nodes], 100]
  : [[10, 100, 1_000, KRAKEN.nodes, 5_000], 750]
console.table(Object.fromEntries(SMALL.map((count) => [count, describeSmall(count)])))
const fleets = new Map(sizes.map((count) => [count, describeFleet(count)]))
console.table(Object.fromEntries(fleets))
const { p50, p99, p999, controlBytes } = fleets.get(KRAKEN.nodes)!
console.log(
  `p99 ${p99} x ideal for ${KRAKEN.nodes} nodes, p99.9 ${p999}; Kraken publishes ${KRAKEN.p99} and ${KRAKEN.p999} for as many hosts`,
)
console.log(
  `RESULT ${JSON.stringify({
    bench: 'delivery-sim',
    nodes: KRAKEN.nodes,
    p99OverIdeal: p99,
    p50OverIdeal: p50,
    p999OverIdeal: p999,
    controlBytesRatio: controlBytes,
  })}`,
)

/** Small fleets: all links alike, the first node slow, or without power half way; the others over ideal. */
function describeSmall(count: number) {
  const ideal = BYTES / RATE
  const first = (node: Partial<SimulatedNode>) =>
    run(
      Array.from({ length: count }, (_, index) => ({ rate: RATE, ...(index === 0 ? node : {}) })),
      SMALL_PIECES,
    )
  const most = ({ tookMs }: Simulated, from: number) => round(Math.max(...tookMs.slice(from)) / ideal)
  const alike = first({})
  const even = { overIdeal: most(alike, 0), controlBytes: round(alike.controlBytes / BYTES) }
  if (count === 1) return even
  return {
    ...even,
    oneSlow: most(first({ rate: SLOW_RATE }), 1),
    oneDying: most(first({ diesAt: ideal / 2 }), 1),
  }
}

function describeFleet(count: number) {
  const random = createRandom(count)
  const slow = new Set(sampleNumbers(count, Math.ceil(count * SLOW_SHARE), random))
  const failing = new Set(sampleNumbers(count, Math.ceil(count * FAILING_SHARE), random))
  const ideal = (index: number) => BYTES / (slow.has(index) ? SLOW_RATE : RATE)
  const nodes = Array.from({ length: count }, (_, index) => ({
    rate: slow.has(index) ? SLOW_RATE : RATE,
    ...(failing.has(index) ? { diesAt: random() * ideal(index) } : {}),
  }))
  const begun = process.cpuUsage()
  const simulated = run(nodes, pieces)
  const seconds = process.cpuUsage(begun).user / 1e6
  const over = simulated.tookMs.map((took, index) => took / ideal(index))
  const living = over.filter((_, index) => !failing.has(index)).sort((a, b) => a - b)
  const healthy = over.filter((_, index) => !failing.has(index) && !slow.has(index)).sort((a, b) => a - b)
  const crawling = over.filter((_, index) => !failing.has(index) && slow.has(index))
  return {
    p50: percentile(living, 0.5),
    p99: percentile(living, 0.99),
    p999: percentile(living, 0.999),
    most: percentile(living, 1),
    healthyMost: percentile(healthy, 1),
    slowMost: round(Math.max(...crawling)),
    controlBytes: round(simulated.controlBytes / BYTES),
    seconds: round(seconds),
    eventsPerSecond: Math.round(simulated.events / seconds),
  }
}

function run(nodes: readonly SimulatedNode[], pieces: number): Simulated {
  return simulate({
    nodes,
    pieces,
    pieceBytes: BYTES / pieces,
    controlRate: RATE,
    roundTripMs: ROUND_TRIP_MS,
    noticeMs: NOTICE_MS,
    seed: 1,
  })
}

function percentile(sorted: readonly number[], share: number): number {
  return round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!)
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
