import type { Shadow } from '../../lib/domain/route-table.ts'
import type { BackendClient, PassedRequest } from './ask-backend.ts'
import type { AskedService } from './asked-service.ts'

/** What became of copies of requests, since the router started. */
export type ShadowCounts = { readonly sent: number; readonly failed: number; readonly dropped: number }

/** Sends copies of requests that nobody waits for. */
export type ShadowCopies = {
  add(shadow: Shadow, asked: AskedService, passed: PassedRequest): void
  counts(): ShadowCounts
}

const AT_ONCE = 4
const MOST_WAITING = 64

/** At most four copies are under way and 64 wait; a copy for which there is no room is dropped, and counted. */
export function createShadowCopies(client: BackendClient, random: () => number = Math.random): ShadowCopies {
  const waiting: (() => Promise<void>)[] = []
  let [running, sent, failed, dropped] = [0, 0, 0, 0]
  const runNext = async () => {
    if (running >= AT_ONCE) return
    const next = waiting.shift()
    if (!next) return
    running++
    await next()
    running--
    void runNext()
  }
  return {
    add({ url, service, sample }, asked, passed) {
      if (random() >= sample) return
      if (waiting.length >= MOST_WAITING) {
        dropped++
        return
      }
      waiting.push(async () => {
        sent++
        const answer = client.ask({ ...passed, url, ...asked.rename(service) })
        const isAnswered = await answer.then(
          ({ status }) => status < 400,
          () => false,
        )
        if (!isAnswered) failed++
      })
      void runNext()
    },
    counts: () => ({ sent, failed, dropped }),
  }
}
