/** Runs test files, each in a Node.js process of its own: `node test/run.ts [part of a path...]`. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { longestFirst } from './support/longest-first.ts'
import { findTestFiles, type Result, runTestFile, SWARM } from './support/run-file.ts'
import { ROOT } from './support/shared.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Files at a time. */
    jobs: { type: 'string' },
    /** Files at a time that bring up a Swarm. */
    labs: { type: 'string', default: String(availableParallelism() < 4 ? 1 : 2) },
    /** Runs those of a real Swarm as well. */
    swarm: { type: 'boolean', default: false },
    /** Seconds that one file may take. */
    deadline: { type: 'string', default: '900' },
    /** Directory that paths are relative to. */
    root: { type: 'string', default: ROOT },
  },
})

const results: Result[] = []
const found = findTestFiles(values.root, positionals)
const files = longestFirst(
  values.swarm ? [...new Set([...found, ...findTestFiles(values.root, [SWARM])])] : found,
)
const labs = files.filter((file) => file.startsWith(SWARM))
const others = files.filter((file) => !file.startsWith(SWARM))
await Promise.all(planLanes().map(runFiles))
process.exitCode = report() ? 0 : 1

/**
 * What each lane takes from, in this order: one for each Swarm that the processors bear, and one of the rest, which whoever is
 * done with Swarms helps with.
 */
function planLanes(): string[][][] {
  const jobs = Number(
    values.jobs ?? (labs.length > 0 ? Number(values.labs) + 1 : Math.min(2, availableParallelism())),
  )
  const bearing = Math.max(1, Math.min(Number(values.labs), jobs - 1))
  return Array.from({ length: jobs }, (_, lane) => (lane < bearing ? [labs, others] : [others]))
}

async function runFiles(queues: readonly string[][]): Promise<void> {
  const next = () => queues.find((queue) => queue.length > 0)?.shift()
  for (let file = next(); file !== undefined; file = next()) {
    const result = await runTestFile(values.root, file, 1000 * Number(values.deadline))
    results.push(result)
    const mark = result.failed > 0 ? '✖' : '✔'
    console.log(`${mark} ${file}  ${result.passed} passed  ${(result.tookMs / 1000).toFixed(1)} s`)
  }
}

/** Prints what failed, what was slow and, as the last line, the sums; whether all is well. */
function report(): boolean {
  const bySlowness = results.toSorted((a, b) => b.tookMs - a.tookMs).slice(0, 5)
  for (const { file, problems, output } of results.filter((result) => result.failed > 0)) {
    console.log(`\n──── ${file}: ${problems.join('; ')}\n${output.trimEnd()}`)
  }
  console.log(
    `\nSlowest: ${bySlowness.map(({ file, tookMs }) => `${file} ${(tookMs / 1000).toFixed(1)} s`).join(', ')}`,
  )
  const sum = (member: 'passed' | 'failed' | 'skipped') =>
    results.reduce((total, result) => total + result[member], 0)
  if (sum('skipped') > 0) console.log(`${sum('skipped')} skipped`)
  if (results.length === 0) console.log('no test file matches')
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`)
  return results.length > 0 && sum('failed') === 0
}
