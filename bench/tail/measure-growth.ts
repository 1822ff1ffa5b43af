import type { ChildProcess } from 'node:child_process'
import { measureProcess } from './fleet.ts'

const MEASURE_EVERY_MS = 250

/** Anonymous memory in MiB: the least of each third of the time, which is what no collection of garbage gives back. */
export type Growth = {
  readonly first: number
  readonly second: number
  readonly third: number
  readonly grown: number
}

/** What processes hold during `work`, and by how much the last third is more than the one before: the first warms up. */
export async function measureGrowth(
  processes: Readonly<Record<string, ChildProcess>>,
  work: () => Promise<unknown>,
): Promise<Record<string, Growth>> {
  const seen = Object.entries(processes).map(([name, process]) => ({ name, process, mib: [] as number[] }))
  const timer = setInterval(() => {
    for (const { process, mib } of seen) mib.push(measureProcess(process).anonymousMiB)
  }, MEASURE_EVERY_MS)
  await work().finally(() => clearInterval(timer))
  return Object.fromEntries(seen.map(({ name, mib }) => [name, describe(mib)]))
}

function describe(mib: readonly number[]): Growth {
  const length = Math.ceil(mib.length / 3)
  const [first, second, third] = [0, 1, 2].map((part) =>
    round(Math.min(...mib.slice(part * length, (part + 1) * length))),
  ) as [number, number, number]
  return { first, second, third, grown: round(third - second) }
}

function round(mib: number): number {
  return Math.round(mib * 10) / 10
}
