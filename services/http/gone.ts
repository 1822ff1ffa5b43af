import type { FastifyReply } from 'fastify'

/** Aborts when the connection is closed before the answer was sent. */
export function gone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) controller.abort()
  })
  return controller.signal
}
