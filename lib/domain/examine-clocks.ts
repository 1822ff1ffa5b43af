import { type Finding, fail, ok, warn } from './finding.ts'

/** A clock compared with that of this machine, in milliseconds. */
export type ClockReport = {
  readonly name: string
  /** How far it is ahead of ours. */
  readonly skewMs: number
  /** How much of that may be the time that asking took. */
  readonly errorMs: number
}

const HERE = 'this machine'
const WARN_MS = 2000

/**
 * Findings on clocks that differ from most others, ours included, by more than asking may explain. Beyond `failMs` the
 * times of lock, journal and certificates say nothing any more.
 */
export function examineClocks(clocks: readonly ClockReport[], { failMs }: { failMs: number }): Finding[] {
  if (clocks.length === 0) return []
  const all = [{ name: HERE, skewMs: 0, errorMs: 0 }, ...clocks]
  const agreed = findAgreed(all.map(({ skewMs }) => skewMs))
  const odd = all
    .map(({ name, skewMs, errorMs }) => ({ name, off: skewMs - agreed, errorMs }))
    .filter(({ off, errorMs }) => Math.abs(off) - errorMs > WARN_MS)
  if (odd.length === 0) {
    const most = Math.max(...clocks.map(({ skewMs }) => Math.abs(skewMs)))
    return [ok('clock', `no node is more than ${renderSeconds(most)} from ${HERE}`)]
  }
  return odd.map(({ name, off, errorMs }) => {
    const detail = `the clock of ${name} is ${renderSeconds(Math.abs(off))} ${off > 0 ? 'ahead of' : 'behind'} the others`
    const judge = Math.abs(off) - errorMs > failMs ? fail : warn
    return judge('clock', detail, `let ${name} keep time (chrony or systemd-timesyncd)`)
  })
}

/** The middle one; of two, the one nearer to our own. */
function findAgreed(skews: readonly number[]): number {
  const sorted = skews.toSorted((a, b) => a - b)
  const middle = [sorted[Math.floor((sorted.length - 1) / 2)]!, sorted[Math.floor(sorted.length / 2)]!]
  return middle.toSorted((a, b) => Math.abs(a) - Math.abs(b))[0]!
}

function renderSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`
}
