const REST_MS = 1_000
const FORGET_MS = 60_000

/** In which order tasks are asked, so that each gets its share, and those that could not answer lately come last. */
export type TaskOrder = {
  /** The addresses, beginning with another one each time; those that rest come after all others. */
  arrange(addresses: readonly string[]): readonly string[]
  /** Puts an address last for a second; then one request tries it, and others only once that was answered. */
  rest(address: string): void
  /** Ends the rest of an address that has answered. */
  trust(address: string): void
}

export function createTaskOrder(now: () => number = () => performance.now()): TaskOrder {
  /** When each rest ends. */
  const resting = new Map<string, number>()
  let turn = 0
  const isAble = (address: string) => (resting.get(address) ?? Number.NEGATIVE_INFINITY) <= now()
  const rest = (address: string) => {
    for (const [other, until] of resting) if (until + FORGET_MS <= now()) resting.delete(other)
    resting.set(address, now() + REST_MS)
  }
  return {
    rest,
    arrange(addresses) {
      if (resting.size === 0) return rotate(addresses, turn++)
      const able = rotate(addresses.filter(isAble), turn++)
      const unable = addresses.filter((address) => !isAble(address))
      const [first] = able
      if (first !== undefined && resting.has(first)) rest(first)
      return [...able, ...rotate(unable, turn)]
    },
    trust: (address) => void resting.delete(address),
  }
}

function rotate(addresses: readonly string[], by: number): readonly string[] {
  const start = addresses.length === 0 ? 0 : by % addresses.length
  return start === 0 ? addresses : [...addresses.slice(start), ...addresses.slice(0, start)]
}
