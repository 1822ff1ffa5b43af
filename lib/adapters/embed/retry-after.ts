import type { HttpAnswer } from '../http/client.ts'

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const BUDGETS = ['requests', 'tokens'] as const

/**
 * When a server asks to be asked again, in milliseconds from `now`: its `Retry-After` in seconds or as a date (RFC 9110),
 * or when the budget is renewed that `x-ratelimit-remaining-*` tells to be spent, as OpenAI does.
 */
export function readRetryAfter(headers: HttpAnswer['headers'], now: number): number | undefined {
  const asked = headers['retry-after']
  if (typeof asked === 'string') {
    const seconds = Number(asked)
    const ms = Number.isFinite(seconds) ? 1000 * seconds : Date.parse(asked) - now
    if (Number.isFinite(ms)) return Math.max(0, ms)
  }
  const renewals = BUDGETS.flatMap((budget) => {
    const reset = headers[`x-ratelimit-reset-${budget}`]
    const isSpent = Number(headers[`x-ratelimit-remaining-${budget}`] ?? 1) <= 0
    const ms = isSpent && typeof reset === 'string' ? parseDuration(reset) : undefined
    return ms === undefined ? [] : [ms]
  })
  return renewals.length > 0 ? Math.max(...renewals) : undefined
}

/** Milliseconds of a duration like `6m0s`, `1.5s` or `20ms`; undefined where it is none. */
function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(text)) return undefined
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)
  return [...parts].reduce((sum, [, amount, unit]) => sum + Number(amount) * UNITS[unit!]!, 0)
}
