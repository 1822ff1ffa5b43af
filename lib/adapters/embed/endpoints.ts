/** How long an address is left alone that did not answer, while there are others. */
const REST_MS = 5_000

/** Equal servers, asked in turn. */
export type Endpoints = {
  /** The base address to ask next, without a slash at its end; undefined when none is known. */
  choose(): string | undefined
  list(): readonly string[]
  /** An address did not answer: others are asked for some time, where there are others. */
  rest(endpoint: string): void
}

export function createEndpoints(known: () => readonly string[], now: () => number): Endpoints {
  const resting = new Map<string, number>()
  let turn = 0
  const list = () => known().map((endpoint) => endpoint.replace(/\/+$/, ''))
  return {
    list,
    choose() {
      const endpoints = list()
      const awake = endpoints.filter((endpoint) => (resting.get(endpoint) ?? 0) <= now())
      const choice = awake.length > 0 ? awake : endpoints
      return choice[turn++ % choice.length]
    },
    rest: (endpoint) => void resting.set(endpoint, now() + REST_MS),
  }
}
