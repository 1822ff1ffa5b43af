import { type Dispatcher, request } from 'undici'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { Fetched, ItemFetcher } from '../../ports/item-sources.ts'
import { hideUser } from './client.ts'

export type FetchLimits = {
  readonly megabytes: number
  readonly seconds: number
  readonly redirects: number
}

const MOVED = [301, 302, 303, 307, 308]

/** Gets what addresses stand for, within limits of size, time and redirects; of http and https alone. */
export function createItemFetcher(limits: FetchLimits): ItemFetcher {
  return {
    async fetch(url, signal) {
      const late = AbortSignal.timeout(1000 * limits.seconds)
      try {
        return await follow(url, limits, AbortSignal.any([signal, late]))
      } catch (error) {
        signal.throwIfAborted()
        if (late.aborted) throw failed(url, `no whole answer within ${limits.seconds} s`)
        throw error instanceof LongshoreError ? error : failed(url, messageOf(error), error)
      }
    },
  }
}

async function follow(url: string, limits: FetchLimits, signal: AbortSignal): Promise<Fetched> {
  let address = url
  for (let hops = 0; hops <= limits.redirects; hops++) {
    if (!/^https?:$/.test(new URL(address).protocol)) throw failed(url, `leads to ${address}`)
    const reply = await request(address, { signal })
    const { location } = reply.headers
    if (!MOVED.includes(reply.statusCode) || typeof location !== 'string')
      return await take(url, reply, limits)
    await reply.body.dump()
    address = new URL(location, address).href
  }
  throw failed(url, `more than ${limits.redirects} redirects`)
}

async function take(
  url: string,
  { statusCode, headers, body }: Dispatcher.ResponseData,
  { megabytes }: FetchLimits,
): Promise<Fetched> {
  if (statusCode !== 200) {
    await body.dump()
    throw failed(url, `status ${statusCode}`)
  }
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body) {
    parts.push(part as Uint8Array)
    bytes += (part as Uint8Array).length
    // Leaving the loop cuts the connection.
    if (bytes > megabytes * 1e6) throw failed(url, `is larger than ${megabytes} MB`)
  }
  const type = String(headers['content-type'] ?? 'application/octet-stream')
  return { bytes: Buffer.concat(parts), mediaType: type.split(';')[0]!.trim().toLowerCase() }
}

function failed(url: string, reason: string, cause?: unknown): LongshoreError {
  return new LongshoreError('remote', `${hideUser(url)}: ${reason}`, { cause })
}
