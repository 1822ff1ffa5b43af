import { setTimeout as wait } from 'node:timers/promises'
import type { DeliveryRates } from '../../domain/delivery-rates.ts'

/** Resolves when so many bytes may leave for a node. Raises the reason of `signal`. */
export type Pace = (node: string, bytes: number, signal: AbortSignal) => Promise<void>

/** Lets bytes leave no faster than the rates of the moment allow, for each node and in total, in the order of asking. */
export function createPace(readRates: () => DeliveryRates): Pace {
  const total = createMeter(() => readRates().total)
  const nodes = new Map<string, Meter>()
  return async (node, bytes, signal) => {
    const own = nodes.get(node) ?? createMeter(() => readRates().perNode)
    nodes.set(node, own)
    const pauseMs = Math.max(own(bytes), total(bytes))
    if (pauseMs > 0) await wait(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

/** Takes note of bytes that leave, and tells how long they have to wait, in milliseconds. */
type Meter = (bytes: number) => number

function createMeter(readRate: () => number | null): Meter {
  let freeAt = 0
  return (bytes) => {
    const rate = readRate()
    if (rate === null) return 0
    const now = performance.now()
    const startAt = Math.max(now, freeAt)
    freeAt = startAt + (1000 * bytes) / rate
    return startAt - now
  }
}
