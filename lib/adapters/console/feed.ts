import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { ConsoleFeed } from '../../ports/console-feed.ts'
import { createHttpClient } from '../http/client.ts'

const TIMEOUT_MS = 10_000

/** Posts facts to a gateway, which passes them on to the others. `readToken` raises `usage`. */
export function createConsoleFeed(readToken: () => Promise<string>): ConsoleFeed {
  const client = createHttpClient()
  return {
    async publish(gateway, facts, signal) {
      const token = await readToken()
      const url = `${gateway}/console/v1/facts`
      const reply = await client
        .post(url, {
          body: JSON.stringify(facts),
          contentType: 'application/json',
          headers: { authorization: `Bearer ${token}` },
          signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        })
        .catch((error: unknown) => {
          signal.throwIfAborted()
          throw new LongshoreError('remote', messageOf(error), { cause: error })
        })
      if (reply.status === 204) return
      throw new LongshoreError(
        'remote',
        `${url} answered ${reply.status}: ${reply.body.toString().slice(0, 200)}`,
        {
          hint: 'apply.mjs makes gateways know the token that the profile names now',
        },
      )
    },
  }
}
