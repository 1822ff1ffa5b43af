import type { Round } from '../search/contestants.ts'

const TIE = 1e-6

/** Runs all in turn, so that whatever else the machine does meets them alike. */
export async function takeTurns(runs: Readonly<Record<string, () => Promise<Round>>>, pairs: number) {
  const rounds = Object.fromEntries(Object.keys(runs).map((name) => [name, [] as Round[]]))
  for (let pair = 0; pair < pairs; pair++) {
    for (const [name, run] of Object.entries(runs)) rounds[name]!.push(await run())
  }
  return rounds
}

/** The share of the exact hits that were found; another item with the score of the last one is as good. */
export function measureRecall(found: Round, exact: Round): number {
  const shares = exact.ids.map((ids, query) => {
    const least = exact.scores[query]![ids.length - 1]! - TIE
    const isHit = (id: number, rank: number) => ids.includes(id) || found.scores[query]![rank]! >= least
    return found.ids[query]!.filter(isHit).length / ids.length
  })
  return Number((shares.reduce((sum, share) => sum + share, 0) / shares.length).toFixed(4))
}

/** How many times faster ours is, by the median of pairs. */
export function ratioOf(ours: readonly Round[], peer: readonly Round[]): number {
  return Number(median(ours.map(({ seconds }, pair) => peer[pair]!.seconds / seconds)).toFixed(2))
}

/** Queries per second, the median of the rounds. */
export function perSecond(rounds: readonly Round[]): number {
  return Number(median(rounds.map(({ seconds, ids }) => ids.length / seconds)).toFixed(1))
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}
