/** What a run has done so far. */
export type EmbedCounts = {
  /** Requests, those that failed included. */
  calls: number
  /** Contents that were embedded and stored. */
  items: number
  /** Contents that needed no request, for their embeddings are known. */
  known: number
  /** Contents that the model cannot embed. */
  dead: number
  /** As the server counts them, where it does. */
  tokens: number
  /** Batches that were sent again as they were. */
  retries: number
  /** Batches that were sent again in halves. */
  splits: number
  /** The most requests at a time. */
  window: number
  tookMs: number
  /** How long this process worked. */
  busyMs: number
  /** How long the server was left alone. */
  pausedMs: number
  /** How long there was nothing to do but to wait for the server. */
  waitedMs: number
}

/** So much of the time at work, and a faster server would not help. */
const BUSY_SHARE = 0.9

export function createCounts(): EmbedCounts {
  const none = { calls: 0, items: 0, known: 0, dead: 0, tokens: 0, retries: 0, splits: 0, window: 0 }
  return { ...none, tookMs: 0, busyMs: 0, pausedMs: 0, waitedMs: 0 }
}

/** Whether this process, not the server, was what a run waited for. */
export function isClientBound({ tookMs, busyMs, pausedMs }: Readonly<EmbedCounts>): boolean {
  return busyMs > BUSY_SHARE * Math.max(1, tookMs - pausedMs)
}
