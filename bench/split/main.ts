/**
 * Splitting raw input of the reference system, as whole processes: Longshore, with all gates and every file on the disk,
 * against what the reference splitter does with NumPy and faiss, which checks nothing and leaves files to the page cache.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const PYTHON = '/usr/bin/python3'
const ROOT = join(import.meta.dirname, '..', '..')
const DATA = join(ROOT, 'bench', '.data', 'split')
const DIMENSIONS = 512
const PAIRS = 3
const BYTES_FOR_MILLION = 12 * 2 ** 30
const PROFILE = `
name: bench
generations: ${DATA}/dgs
nodes: [{ name: node-1 }]
model: { name: use, version: "4", dimensions: ${DIMENSIONS}, metric: cosine, normalized: true }
# As the peer: no quantised copy of the vectors beside them.
split: { search: exact }
`

type Run = { readonly seconds: number; readonly peakMiB: number }
type Comparison = { readonly rows: number; readonly ours: Run; readonly peer: Run; readonly ratio: number }

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
requirePeer()
try {
  const comparisons = chooseSizes(values.quick).map(({ rows, pairs }) => compare(rows, pairs))
  printResult(comparisons)
} finally {
  rmSync(DATA, { recursive: true, force: true })
}

function requirePeer(): void {
  try {
    execFileSync(PYTHON, ['-c', 'import faiss, joblib, numpy'], { stdio: 'pipe' })
  } catch {
    throw new Error('the peer is missing: apt-get install python3-faiss python3-numpy python3-joblib')
  }
}

function chooseSizes(isQuick: boolean): { rows: number; pairs: number }[] {
  const sizes = [{ rows: 100_000, pairs: PAIRS }]
  if (isQuick) return sizes
  sizes.push({ rows: 400_000, pairs: PAIRS })
  const { bavail, bsize } = statfsSync(ROOT)
  if (bavail * bsize > BYTES_FOR_MILLION) sizes.push({ rows: 1_000_000, pairs: 1 })
  return sizes
}

/** Runs both in turn, so that whatever else the machine does meets both alike. */
function compare(rows: number, pairs: number): Comparison {
  const input = join(DATA, 'input')
  clear(DATA, input)
  writeFileSync(join(DATA, 'profile.yml'), PROFILE)
  execFileSync(PYTHON, [join(import.meta.dirname, 'make-input.py'), input, String(rows)])
  const runs = Array.from({ length: pairs }, () => ({ peer: runPeer(input), ours: runOurs(input) }))
  const ratios = runs.map(({ peer, ours }) => peer.seconds / ours.seconds)
  const comparison = {
    rows,
    ours: middle(runs.map(({ ours }) => ours)),
    peer: middle(runs.map(({ peer }) => peer)),
    ratio: median(ratios),
  }
  console.table({
    [`Longshore, ${rows} rows`]: comparison.ours,
    [`reference, ${rows} rows`]: comparison.peer,
  })
  console.log(
    `${rows} rows: ${comparison.ratio.toFixed(2)} times as fast (${ratios.map((r) => r.toFixed(2)).join(', ')})`,
  )
  return comparison
}

function runPeer(input: string): Run {
  const output = join(DATA, 'peer')
  clear(output)
  return measure([PYTHON, join(import.meta.dirname, 'peer.py'), input, output])
}

function runOurs(input: string): Run {
  clear(join(DATA, 'dgs'))
  const script = join(ROOT, 'scripts', 'split-index.mjs')
  return measure(['zx', script, input, '--profile', join(DATA, 'profile.yml'), '--quiet'])
}

/** Runs a command as an operator would. What the run before left to write is written first, so that each pays for its own. */
function measure(command: readonly string[]): Run {
  execFileSync('sync')
  const report = join(DATA, 'report.json')
  const env = { ...process.env, PATH: `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH}` }
  execFileSync(PYTHON, [join(import.meta.dirname, 'measure.py'), report, ...command], { env, stdio: 'pipe' })
  return JSON.parse(readFileSync(report, 'utf8')) as Run
}

function printResult(comparisons: readonly Comparison[]): void {
  const { rows, ours, ratio } = comparisons.find((each) => each.rows === 400_000) ?? comparisons[0]!
  const peakMiB = Math.round(Math.max(...comparisons.map((each) => each.ours.peakMiB)))
  const rowsPerSecond = Math.round(rows / ours.seconds)
  console.log(
    `RESULT ${JSON.stringify({ bench: 'split', ratio: Number(ratio.toFixed(2)), peakMiB, rowsPerSecond })}`,
  )
}

function clear(...directories: readonly string[]): void {
  for (const directory of directories) {
    rmSync(directory, { recursive: true, force: true })
    mkdirSync(directory, { recursive: true })
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}

function middle(runs: readonly Run[]): Run {
  return {
    seconds: median(runs.map(({ seconds }) => seconds)),
    peakMiB: Math.max(...runs.map(({ peakMiB }) => peakMiB)),
  }
}
