import type { Json } from './canonical-json.ts'

/** A health check as the engine prints it; times are nanoseconds. */
export type RawCheck = {
  readonly Test?: readonly string[]
  readonly Interval?: number
  readonly Timeout?: number
  readonly StartPeriod?: number
  readonly Retries?: number
}

/** The health check of a service as a stack file has it; times that only look different stay as they were written. */
export function describeCheck(
  made: Json,
  { Test = [], Interval, Timeout, StartPeriod, Retries }: RawCheck = {},
): Json {
  const written = made as Members
  const times = { interval: Interval, timeout: Timeout, start_period: StartPeriod }
  const found = Object.entries(times).flatMap(([key, nanoseconds]) => {
    const ms = toMs(nanoseconds)
    if (ms === undefined) return []
    return [[key, parseMs(written[key]) === ms ? written[key]! : `${ms}ms`]]
  })
  return { test: [...Test], ...Object.fromEntries(found), ...(Retries !== undefined && { retries: Retries }) }
}

/** `2000ms` or `5s`, as a stack file has it. */
export function parseMs(text: Json | undefined): number | undefined {
  const [, amount, unit] = /^(\d+)(ms|s)$/.exec(String(text ?? '')) ?? []
  return unit === undefined ? undefined : Number(amount) * (unit === 's' ? 1000 : 1)
}

export function toMs(nanoseconds: number | undefined): number | undefined {
  return nanoseconds === undefined ? undefined : nanoseconds / 1e6
}

type Members = { readonly [key: string]: Json | undefined }
