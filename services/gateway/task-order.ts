const REST_MS = 1_000
const FORGET_MS = 60_000
/** Tasks whose expected waits differ by less, as a ratio or in milliseconds, are taken in turn. */
const ALIKE = 1.5
const ALIKE_MS = 1
/** A task is silent when so many requests were late, and for so long, without an answer in between. */
const LATE_IN_A_ROW = 3
const LEAST_SILENCE_MS = 50
const SILENT_DELAYS = 3

/** In which order tasks are asked, so that each gets its share, and those that could not answer lately come last. */
export type TaskOrder = {
  /**
   * The addresses in a circle, beginning with one of those expected to answer soonest, another one each time; those that
   * rest come after all others.
   */
  arrange(addresses: readonly string[]): readonly string[]
  /** Puts an address last for a second; then one request tries it, and others only once that was answered. */
  rest(address: string): void
  isResting(address: string): boolean
  /** Notes that an answer took longer than usual, by so much; an address that stays silent comes to rest. */
  doubt(address: string, usualMs: number): void
  /** Ends the rest, and the doubts, of an address that has answered. */
  trust(address: string): void
}

export function createTaskOrder(
  now: () => number,
  expectedWait: (address: string) => number = () => 0,
): TaskOrder {
  /** When each rest ends. */
  const resting = new Map<string, number>()
  const doubts = new Map<string, { late: number; readonly since: number }>()
  let turn = 0
  const isAble = (address: string) => (resting.get(address) ?? Number.NEGATIVE_INFINITY) <= now()
  const rest = (address: string) => {
    for (const [other, until] of resting) if (until + FORGET_MS <= now()) resting.delete(other)
    resting.set(address, now() + REST_MS)
    doubts.delete(address)
  }
  return {
    rest,
    isResting: (address) => resting.has(address),
    arrange(addresses) {
      const able = addresses.filter(isAble)
      const tried = able.find((address) => resting.has(address))
      if (tried !== undefined) rest(tried)
      const first = tried ?? findSoonest(rotate(able, turn++), expectedWait)
      const unable = addresses.filter((address) => !able.includes(address))
      return [...rotate(able, able.indexOf(first!)), ...rotate(unable, turn)]
    },
    doubt(address, usualMs) {
      const doubt = doubts.get(address) ?? { late: 0, since: now() - usualMs }
      doubts.set(address, doubt)
      doubt.late++
      const silence = Math.max(LEAST_SILENCE_MS, SILENT_DELAYS * usualMs)
      if (doubt.late >= LATE_IN_A_ROW && now() - doubt.since >= silence) rest(address)
    },
    trust(address) {
      resting.delete(address)
      doubts.delete(address)
    },
  }
}

/** The first of those whose expected waits are alike and least. */
function findSoonest(
  addresses: readonly string[],
  expectedWait: (address: string) => number,
): string | undefined {
  const waits = addresses.map(expectedWait)
  const least = Math.min(...waits)
  const limit = Math.max(ALIKE * least, least + ALIKE_MS)
  return addresses[waits.findIndex((wait) => wait <= limit)]
}

function rotate(addresses: readonly string[], by: number): readonly string[] {
  const start = addresses.length === 0 ? 0 : Math.max(0, by) % addresses.length
  return start === 0 ? addresses : [...addresses.slice(start), ...addresses.slice(0, start)]
}
