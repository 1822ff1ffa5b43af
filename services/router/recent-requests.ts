/** A prediction that a client asked for. */
export type RecentRequest = { readonly at: string; readonly service: string; readonly body: unknown }

/** The last predictions, as many as fit. */
export type RecentRequests = {
  add(service: string, body: Buffer): void
  list(service: string | undefined): RecentRequest[]
}

const MOST_BYTES = 16 << 20
const MOST_BYTES_EACH = 1 << 20

/** Remembers so many requests, and 16 MiB at most; larger ones than 1 MiB are left out. They are nowhere but in memory. */
export function createRecentRequests(most: number): RecentRequests {
  const kept: { readonly at: number; readonly service: string; readonly body: Buffer }[] = []
  let bytes = 0
  return {
    add(service, body) {
      if (body.length > MOST_BYTES_EACH || most === 0) return
      kept.push({ at: Date.now(), service, body })
      bytes += body.length
      while (kept.length > most || bytes > MOST_BYTES) bytes -= kept.shift()!.body.length
    },
    list: (service) =>
      kept
        .filter((one) => service === undefined || one.service === service)
        .map((one) => ({
          at: new Date(one.at).toISOString(),
          service: one.service,
          body: JSON.parse(one.body.toString()) as unknown,
        })),
  }
}
