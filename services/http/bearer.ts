import { createHash, timingSafeEqual } from 'node:crypto'
import type { onRequestAsyncHookHandler } from 'fastify'
import { HttpError } from './http-error.ts'

/**
 * Lets those pass who know the token of this SHA-256, in hexadecimal digits; nobody where there is none. Comparing takes as long
 * for every token. Raises HttpError 401 with `message`.
 */
export function createGuard(tokenDigest: string | undefined, message: string): onRequestAsyncHookHandler {
  const expected = tokenDigest === undefined ? undefined : Buffer.from(tokenDigest, 'hex')
  return async ({ headers }, reply) => {
    const [, token = ''] = /^Bearer +(.+)$/i.exec(headers.authorization ?? '') ?? []
    if (expected && timingSafeEqual(createHash('sha256').update(token).digest(), expected)) return
    reply.header('www-authenticate', 'Bearer realm="longshore"')
    throw new HttpError(401, 'unauthorized', message)
  }
}
