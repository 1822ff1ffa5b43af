/** Which generations are asked: threads are kept prepared for these alone. */
export type Demand = {
  /** Notes that a generation is asked, until `end` is called as often. */
  begin(generation: string): void
  end(generation: string): void
  /** Whether a generation is asked now, was within the last `restAfterMs`, or was asked last of all. */
  has(generation: string): boolean
  list(): string[]
}

/** What a thread has to do before it searches. */
export type Errand = { readonly name: 'prepare' | 'rest'; readonly generation: string }

/**
 * The demand of clients. Whatever is asked last never rests, so that few queries are answered as fast as many; what was
 * asked before it does, for after a switch nobody asks for it any more.
 */
export function createDemand(restAfterMs: number, now = () => performance.now()): Demand {
  const asked = new Map<string, { open: number; at: number }>()
  let last: string | undefined
  const has = (generation: string): boolean => {
    const { open = 0, at = Number.NEGATIVE_INFINITY } = asked.get(generation) ?? {}
    return open > 0 || generation === last || now() - at < restAfterMs
  }
  const count = (generation: string, more: number) => {
    const { open = 0 } = asked.get(generation) ?? {}
    asked.set(generation, { open: open + more, at: now() })
  }
  return {
    has,
    list: () => [...asked.keys()].filter(has),
    begin: (generation) => {
      last = generation
      count(generation, 1)
    },
    end: (generation) => count(generation, -1),
  }
}

/** What a thread that is prepared for some generations has to do to meet the demand; what is missing comes first. */
export function findErrand(prepared: ReadonlySet<string>, demand: Demand): Errand | undefined {
  const missing = demand.list().find((generation) => !prepared.has(generation))
  if (missing !== undefined) return { name: 'prepare', generation: missing }
  const idle = [...prepared].find((generation) => !demand.has(generation))
  return idle === undefined ? undefined : { name: 'rest', generation: idle }
}
