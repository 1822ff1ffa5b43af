/** Bytes a second that a delivery may take; null without a limit. */
export type DeliveryRates = {
  /** Into each node, and out of each node to others. */
  readonly perNode: number | null
  /** Out of this machine. */
  readonly total: number | null
}

type Limits = { readonly perNode?: number | undefined; readonly total?: number | undefined }

/** Limits by day, and what differs from them between two times of day, `HH:MM` of the local clock. */
export type DeliveryLimits = Limits & {
  readonly night: Limits & { readonly from: string; readonly to: string }
}

export const UNLIMITED: DeliveryRates = { perNode: null, total: null }

/** The rates that hold at a minute of the day, counted from midnight. The night may go past midnight. */
export function ratesAt({ perNode, total, night }: DeliveryLimits, minute: number): DeliveryRates {
  const limits = isWithin(minute, parseTime(night.from), parseTime(night.to))
    ? { perNode: night.perNode ?? perNode, total: night.total ?? total }
    : { perNode, total }
  return { perNode: limits.perNode ?? null, total: limits.total ?? null }
}

/** Minutes since midnight of `HH:MM`. */
function parseTime(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return 60 * hours + minutes
}

function isWithin(minute: number, from: number, to: number): boolean {
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to
}
