import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { killLeftovers, MARK } from './leftovers.ts'

/** How long pipes may stay open where leftovers cannot be found. */
const CLOSE_MS = 5000

export type Result = {
  readonly file: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly tookMs: number
  readonly output: string
  /** Why it counts as failed, besides what the output says. */
  readonly problems: readonly string[]
}

/** Where the tests of a real Swarm are. */
export const SWARM = join('test', 'swarm')

/**
 * Test files below `root` whose path has one of the filters; without filters all but those of a real Swarm, which need
 * root and Debian's packages: `npm run test:swarm` runs them.
 */
export function findTestFiles(root: string, filters: readonly string[]): string[] {
  return globSync('test/**/*.test.ts', { cwd: root })
    .filter((file) =>
      filters.length === 0 ? !file.startsWith(SWARM) : filters.some((filter) => file.includes(filter)),
    )
    .sort()
}

/**
 * Runs one file to its end or its deadline, kills whatever it left running, and counts uvu's totals. A file without
 * tests, a crash and, in CI, a skipped test count as failures.
 */
export async function runTestFile(root: string, file: string, deadlineMs: number): Promise<Result> {
  const startedAt = performance.now()
  const mark = randomUUID()
  const child = spawn(process.execPath, [join(root, file)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, [MARK]: mark },
  })
  const { output, exitCode, isLate } = await waitForEnd(child, mark, deadlineMs)
  const totals = countTotals(output)
  const problems = [
    isLate && `no end after ${deadlineMs / 1000} s`,
    !isLate && exitCode !== 0 && totals.failed === 0 && `exit code ${exitCode}`,
    totals.passed + totals.failed === 0 && 'no test ran',
    process.env.CI === 'true' && totals.skipped > 0 && `${totals.skipped} skipped in CI`,
  ].filter((problem) => problem !== false)
  const failed = Math.max(totals.failed, problems.length > 0 ? 1 : 0)
  if (totals.failed > 0) problems.push(`${totals.failed} failed`)
  return { file, ...totals, failed, tookMs: performance.now() - startedAt, output, problems }
}

type End = { readonly output: string; readonly exitCode: number | null; readonly isLate: boolean }

async function waitForEnd(child: ChildProcess, mark: string, deadlineMs: number): Promise<End> {
  let output = ''
  let isLate = false
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, deadlineMs)
  const exitCode = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  clearTimeout(timer)
  // Leftovers hold the pipes open, so they have to go before the streams can close.
  await killLeftovers(mark)
  await Promise.race([closed, wait(CLOSE_MS, undefined, { ref: false })])
  // What still holds them must not keep this process.
  for (const stream of [child.stdout, child.stderr]) stream?.destroy()
  return { output: stripVTControlCharacters(output), exitCode, isLate }
}

/** Sums of uvu's `Total`, `Passed` and `Skipped` lines. */
export function countTotals(output: string): { passed: number; failed: number; skipped: number } {
  const sum = (word: string) =>
    [...output.matchAll(new RegExp(`^ {2}${word}: +(\\d+)$`, 'gm'))].reduce(
      (total, match) => total + Number(match[1]),
      0,
    )
  const passed = sum('Passed')
  return { passed, failed: sum('Total') - passed, skipped: sum('Skipped') }
}
