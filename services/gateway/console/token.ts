import { createHash, timingSafeEqual } from 'node:crypto'
import type { onRequestAsyncHookHandler } from 'fastify'
import { HttpError } from '../../http/http-error.ts'

/** Lets those pass who know the token of this digest. Comparing takes as long for every token. Raises HttpError 401. */
export function createGuard(tokenDigest: string): onRequestAsyncHookHandler {
  const expected = Buffer.from(tokenDigest, 'hex')
  return async ({ headers }, reply) => {
    const [, token = ''] = /^Bearer +(.+)$/i.exec(headers.authorization ?? '') ?? []
    const found = createHash('sha256').update(token).digest()
    if (timingSafeEqual(found, expected)) return
    reply.header('www-authenticate', 'Bearer realm="longshore"')
    throw new HttpError(401, 'unauthorized', 'expected the token of this console')
  }
}
