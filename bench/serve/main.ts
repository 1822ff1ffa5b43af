/**
 * The whole path over HTTP, queries by vector: a gateway and four index services against the reference stack (Flask and
 * faiss) over the same vectors, under the same load, in turn. The reference asks the cluster that is farthest from a query;
 * speed is compared with one that asks the nearest, which costs the same and answers better.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { MANIFEST_FILE, type Manifest } from '../../lib/domain/manifest.ts'
import type { LoadOptions, LoadReport } from './load.ts'
import { CLUSTERS, PYTHON, type Stack, startLongshore, startReference } from './stacks.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const DATA = join(ROOT, 'bench', '.data', 'serve')
const CLIENTS = 16
const WARM_UP_SECONDS = 2

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, search: { type: 'string', default: 'auto' } },
})
requirePeer()
try {
  const size = values.quick ? { rows: 30_000, seconds: 4, pairs: 1 } : { rows: 50_000, seconds: 10, pairs: 3 }
  console.log(`RESULT ${JSON.stringify({ bench: 'serve', ...(await compare(size)) })}`)
} finally {
  rmSync(DATA, { recursive: true, force: true })
}

function requirePeer(): void {
  try {
    execFileSync(PYTHON, ['-c', 'import faiss, flask, numpy, requests'], { stdio: 'pipe' })
  } catch (error) {
    const packages = 'python3-faiss python3-flask python3-numpy python3-requests'
    throw new Error(`the peer is missing: apt-get install ${packages}`, { cause: error })
  }
}

async function compare({ rows, seconds, pairs }: { rows: number; seconds: number; pairs: number }) {
  makeGeneration(rows * CLUSTERS)
  const stacks: Stack[] = []
  const start = async (stack: Promise<Stack>) => stacks[stacks.push(await stack) - 1]!
  try {
    const ours = await start(startLongshore(DATA))
    const repaired = await start(startReference(DATA, 'nearest'))
    const asItIs = await start(startReference(DATA, 'farthest'))
    await ask(ours, 'longshore', WARM_UP_SECONDS)
    await ask(repaired, 'reference', WARM_UP_SECONDS)
    const rounds: { peer: LoadReport; ours: LoadReport }[] = []
    for (let pair = 0; pair < pairs; pair++) {
      rounds.push({
        peer: await ask(repaired, 'reference', seconds),
        ours: await ask(ours, 'longshore', seconds),
      })
    }
    const unrepaired = await ask(asItIs, 'reference', Math.min(5, seconds))
    return summarise(rounds, unrepaired)
  } finally {
    await Promise.all(stacks.map((stack) => stack.stop()))
  }
}

/** Splits the input as an operator would, with all gates. */
function makeGeneration(rows: number): void {
  rmSync(DATA, { recursive: true, force: true })
  mkdirSync(join(DATA, 'input'), { recursive: true })
  mkdirSync(join(DATA, 'dgs'))
  execFileSync(PYTHON, [join(import.meta.dirname, 'make-input.py'), DATA, String(rows)], { stdio: 'inherit' })
  const profile = join(DATA, 'profile.yml')
  writeFileSync(
    profile,
    `name: bench
generations: ${DATA}/dgs
nodes: [{ name: node-1 }]
model: { name: use, version: "4", dimensions: 512, metric: cosine, normalized: true }
split: { search: ${values.search} }
`,
  )
  const env = { ...process.env, PATH: `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH}` }
  const script = join(ROOT, 'scripts', 'split-index.mjs')
  const args = [script, join(DATA, 'input'), '--generation', 'dg_1', '--profile', profile, '--quiet']
  execFileSync('zx', args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
}

async function ask({ url }: Stack, form: LoadOptions['form'], seconds: number): Promise<LoadReport> {
  const options: LoadOptions = {
    url,
    form,
    seconds,
    clients: CLIENTS,
    queriesFile: join(DATA, 'queries.json'),
  }
  const child = spawn(process.execPath, [join(import.meta.dirname, 'load.ts'), JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const output = await text(child.stdout)
  const [code] = (await ended) as [number | null]
  if (code !== 0) throw new Error(`the load ended with ${code}`)
  const report = JSON.parse(output) as LoadReport
  if (report.failures > 0) throw new Error(`${form}: ${report.failures} requests failed`)
  return report
}

function summarise(rounds: readonly { peer: LoadReport; ours: LoadReport }[], unrepaired: LoadReport) {
  const middle = (reports: readonly LoadReport[]) =>
    reports.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(reports.length / 2)]!
  const ours = middle(rounds.map((round) => round.ours))
  const peer = middle(rounds.map((round) => round.peer))
  const kinds = readManifest().clusters.map(({ search }) => search?.kind ?? 'exact')
  console.table({
    [`Longshore, ${[...new Set(kinds)].join(', ')}, nprobe ${readManifest().routing.nprobe}`]: ours,
    'reference, asks the nearest cluster': peer,
    'reference, as it is': unrepaired,
  })
  const ratios = rounds.map((round) => round.ours.perSecond / round.peer.perSecond).toSorted((a, b) => a - b)
  console.log(`throughput ratios: ${ratios.map((ratio) => ratio.toFixed(1)).join(', ')}`)
  return {
    throughputRatio: Number(ratios[Math.floor(ratios.length / 2)]!.toFixed(1)),
    recall10: ours.recall10,
    p99Ms: ours.p99Ms,
    peerP99Ms: peer.p99Ms,
  }
}

function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(DATA, 'dgs', 'dg_1', MANIFEST_FILE), 'utf8')) as Manifest
}
