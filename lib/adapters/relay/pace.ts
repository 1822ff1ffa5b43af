import { setTimeout as wait } from 'node:timers/promises'
import type { DeliveryRates } from '../../domain/delivery-rates.ts'

/** Resolves when so many bytes may leave for a node. Raises the reason of `signal`. */
export type Pace = (node: string, bytes: number, signal: AbortSignal) => Promise<void>

export type PaceClock = {
  /** Milliseconds that only go forward. */
  now(): number
  wait(ms: number, signal: AbortSignal): Promise<void>
}

const CLOCK: PaceClock = {
  now: () => performance.now(),
  wait: (ms, signal) => wait(ms, undefined, { signal }).catch(() => signal.throwIfAborted()),
}
/** Rates change with the time of day: who waits looks again after this time at the latest. */
const LONGEST_WAIT_MS = 500

/** Lets bytes leave no faster than the rates of the moment allow, for each node and in total, in the order of asking. */
export function createPace(readRates: () => DeliveryRates, clock = CLOCK): Pace {
  const total = createMeter(() => readRates().total, clock)
  const nodes = new Map<string, Meter>()
  return async (node, bytes, signal) => {
    const own = nodes.get(node) ?? createMeter(() => readRates().perNode, clock)
    nodes.set(node, own)
    const pauses = [own(bytes), total(bytes)]
    for (;;) {
      const pauseMs = Math.max(...pauses.map((countMs) => countMs()))
      if (pauseMs <= 0) return
      await clock.wait(Math.min(pauseMs, LONGEST_WAIT_MS), signal)
    }
  }
}

/** Takes note of bytes that leave; the answer tells at any time how long they have to wait, in milliseconds. */
type Meter = (bytes: number) => () => number

function createMeter(readRate: () => number | null, { now }: PaceClock): Meter {
  let asked = 0
  let allowed = 0
  let at = now()
  let rate = readRate()
  const advance = () => {
    const time = now()
    allowed = rate === null ? asked : Math.min(asked, allowed + ((time - at) * rate) / 1000)
    at = time
    rate = readRate()
  }
  return (bytes) => {
    advance()
    const before = asked
    asked += bytes
    return () => {
      advance()
      return rate === null ? 0 : (1000 * (before - allowed)) / rate
    }
  }
}
