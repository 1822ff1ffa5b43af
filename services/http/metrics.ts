import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { GenerationRef } from '../../lib/domain/generation.ts'

export type Metrics = {
  /** Where a service adds measures of its own. */
  readonly register: Registry
  readonly inFlight: () => number
  begin(): void
  end(facts: { readonly route: string; readonly status: number; readonly seconds: number }): void
  render(): Promise<{ readonly contentType: string; readonly text: string }>
}

/** Buckets in seconds, from a look-up in memory to the longest that a query may take. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * Requests by route and status, their latency, those in flight, the generations that are held, and what Node.js tells of
 * itself (event loop delay, memory).
 */
export function createMetrics(
  labels: Readonly<Record<string, string>>,
  generations: readonly GenerationRef[] = [],
): Metrics {
  const register = new Registry()
  register.setDefaultLabels(labels)
  collectDefaultMetrics({ register })
  const registers = [register]
  const requests = new Counter({
    name: 'longshore_requests_total',
    help: 'Requests answered',
    labelNames: ['route', 'status'],
    registers,
  })
  const latency = new Histogram({
    name: 'longshore_request_seconds',
    help: 'Time from the request to the end of its answer',
    labelNames: ['route'],
    buckets: SECONDS,
    registers,
  })
  let running = 0
  new Gauge({
    name: 'longshore_requests_in_flight',
    help: 'Requests not answered yet',
    registers,
    collect() {
      this.set(running)
    },
  })
  const held = new Gauge({
    name: 'longshore_generation_info',
    help: 'Generations that this task holds; always 1',
    labelNames: ['generation', 'digest'],
    registers,
  })
  for (const { name, digest } of generations) held.set({ generation: name, digest }, 1)
  return {
    register,
    inFlight: () => running,
    begin: () => {
      running++
    },
    end({ route, status, seconds }) {
      running--
      requests.inc({ route, status: String(status) })
      latency.observe({ route }, seconds)
    },
    render: async () => ({ contentType: register.contentType, text: await register.metrics() }),
  }
}
