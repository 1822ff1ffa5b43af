import type { FastifyInstance } from 'fastify'
import type { Model } from '../../lib/domain/model.ts'
import { describeFailure, HttpError } from '../http/http-error.ts'
import type { Embedding } from './embedding.ts'

/** A model and what embeds under it. */
export type Served = { readonly model: Model; readonly embedding: Embedding }

/** Bytes of a request at most: images are larger than texts. */
export const BODY_LIMITS: Readonly<Record<Embedding['takes'], number>> = { text: 4 << 20, image: 32 << 20 }

/** What the protocols have in common: JSON whatever the type says, and errors as `{"error": "..."}`. */
export function prepareProtocol(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'))
  app.setErrorHandler((error, _request, reply) => {
    const { status, message } = describeFailure(error)
    return reply.status(status).send({ error: message })
  })
}

/** The path of a model, `NAME`, or of one of its versions. */
export type Named = { readonly name: string | undefined; readonly version: string | undefined }

export function isServed({ model }: Served, { name, version }: Named): boolean {
  return name === model.name && (version === undefined || version === model.version)
}

/** Raises HttpError 503 until the model is loaded. */
export function assertLoaded({ embedding }: Pick<Served, 'embedding'>): void {
  const problem = embedding.problem()
  if (problem !== undefined) throw new HttpError(503, 'loading', problem)
}
