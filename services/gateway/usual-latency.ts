/** The latency that 95 % of the last requests of each kind did not exceed. */
export type UsualLatency = {
  note(kind: string, tookMs: number): void
  /** Milliseconds; a preset while little is known. */
  of(kind: string): number
}

type Window = { readonly values: Float64Array; readonly times: Float64Array; count: number; usualMs: number }

const SHARE = 0.95
const MOST_KNOWN = 512
const LEAST_KNOWN = 20
const MEMORY_MS = 5_000
const MEASURE_EVERY = 8
/** Below, what a busy processor adds is more than what a second request could save. */
const FLOOR_MS = 3
const PRESET_MS = 100

/** Over the requests of the last five seconds: 512 of each kind at most, and where there were few, the last 20. */
export function createUsualLatency(now: () => number): UsualLatency {
  const windows = new Map<string, Window>()
  return {
    note(kind, tookMs) {
      const window = windows.get(kind) ?? createWindow()
      windows.set(kind, window)
      const at = window.count++ % MOST_KNOWN
      window.values[at] = tookMs
      window.times[at] = now()
      if (window.count >= LEAST_KNOWN && window.count % MEASURE_EVERY === 0) {
        window.usualMs = Math.max(FLOOR_MS, findQuantile(window, now() - MEMORY_MS))
      }
    },
    of: (kind) => windows.get(kind)?.usualMs ?? PRESET_MS,
  }
}

function createWindow(): Window {
  const [values, times] = [new Float64Array(MOST_KNOWN), new Float64Array(MOST_KNOWN)]
  return { values, times, count: 0, usualMs: PRESET_MS }
}

function findQuantile({ values, times, count }: Window, since: number): number {
  let known = 0
  const isKnown = (age: number) => age <= LEAST_KNOWN || times[(count - age) % MOST_KNOWN]! >= since
  while (known < Math.min(count, MOST_KNOWN) && isKnown(known + 1)) known++
  const recent = Float64Array.from({ length: known }, (_, age) => values[(count - 1 - age) % MOST_KNOWN]!)
  return recent.sort()[Math.ceil(SHARE * known) - 1]!
}
