/** Runs test files, each in a Node.js process of its own: `node test/run.ts [part of a path...]`. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { findTestFiles, type Result, runTestFile, SWARM } from './support/run-file.ts'
import { ROOT } from './support/shared.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Files at a time. */
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    /** Runs those of a real Swarm as well. */
    swarm: { type: 'boolean', default: false },
    /** Seconds that one file may take. */
    deadline: { type: 'string', default: '900' },
    /** Directory that paths are relative to. */
    root: { type: 'string', default: ROOT },
  },
})

const results: Result[] = []
const others = findTestFiles(values.root, positionals)
const labs = values.swarm ? findTestFiles(values.root, [SWARM]) : []
const jobs = Number(values.jobs)
// Never two that bring up a Swarm at once; and `update`, the heaviest, comes last, when nothing else is left.
const lanes =
  labs.length > 0 && jobs > 1
    ? [labs, ...new Array<string[]>(jobs - 1).fill(others)]
    : new Array<string[]>(jobs).fill([...others, ...labs])
await Promise.all(lanes.map(runFiles))
process.exitCode = report() ? 0 : 1

async function runFiles(files: string[]): Promise<void> {
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
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
