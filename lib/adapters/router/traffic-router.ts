import { type Dispatcher, request } from 'undici'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { parseRouteTable } from '../../domain/route-table.ts'
import type { RouterTraffic, TrafficRouter } from '../../ports/traffic-router.ts'
import { hideUser } from '../http/client.ts'

export type TrafficRouterOptions = {
  readonly url: string
  /** What the router wants to be shown; read when it is first needed. */
  readonly readToken: () => Promise<string>
}

const ANSWER_MS = 10_000
const HINT =
  'move-service.mjs --start-router starts one; router.url in the profile names one that runs elsewhere'

/** The router at an address such as `http://127.0.0.1:14010`. */
export function createTrafficRouter({ url, readToken }: TrafficRouterOptions): TrafficRouter {
  const ask = async (
    method: Dispatcher.HttpMethod,
    path: string,
    { signal, body }: { readonly signal: AbortSignal; readonly body?: string },
  ): Promise<string> => {
    const address = `${url.replace(/\/+$/, '')}${path}`
    const fail = (problem: string, hint: string, cause?: unknown) =>
      new LongshoreError('remote', `${hideUser(address)}: ${problem}`, { hint, cause })
    try {
      signal.throwIfAborted()
      const reply = await request(address, {
        ...{ method, signal, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS },
        headers: { authorization: `Bearer ${await readToken()}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body }),
      })
      const text = await reply.body.text()
      if (reply.statusCode === 200) return text
      const isRefused = reply.statusCode === 401
      throw fail(
        isRefused ? 'refuses the token' : `HTTP ${reply.statusCode}: ${text.slice(0, 200)}`,
        isRefused ? 'router.tokenFile in the profile names the file of the token' : HINT,
      )
    } catch (error) {
      signal.throwIfAborted()
      throw error instanceof LongshoreError ? error : fail(messageOf(error), HINT, error)
    }
  }
  return {
    readRoutes: async (signal) => parseRouteTable(await ask('GET', '/v1/routes', { signal }), url),
    async writeRoutes(table, signal) {
      await ask('PUT', '/v1/routes', { signal, body: JSON.stringify(table) })
    },
    async readTraffic(signal) {
      const { backends, shadow } = JSON.parse(await ask('GET', '/v1/status', { signal })) as RouterTraffic
      return { backends, shadow }
    },
    async readRecent(service, signal) {
      const text = await ask('GET', `/v1/recent?service=${encodeURIComponent(service)}`, { signal })
      const { requests } = JSON.parse(text) as { requests: { body: Record<string, unknown> }[] }
      return requests.map(({ body }) => body)
    },
  }
}
