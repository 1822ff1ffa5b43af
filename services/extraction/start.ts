import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { embedLexical } from '../../lib/domain/lexical.ts'
import type { Model } from '../../lib/domain/model.ts'
import { describeFailure, HttpError } from '../http/http-error.ts'
import { runService, type StartService } from '../http/run-service.ts'
import { createService, READY } from '../http/service.ts'
import { readModel } from '../settings.ts'
import { parsePredictRequest } from './predict-request.ts'

const PREFIX = '/v1/models/'
const BODY_LIMIT = 4 << 20
/** Texts embedded before other requests get their turn. */
const TURN = 64

/** Serves the built-in model behind TensorFlow Serving's REST API. Raises `usage` without MODEL. */
export const startExtraction: StartService = async (settings, env, log) => {
  const model = readModel(env)
  if (!model) throw new LongshoreError('usage', 'MODEL: expected the JSON of a model, found nothing')
  const base = createService(settings, log, { readiness: () => READY, status: () => ({ model }) })
  await base.app.register(async (app) => addPredictRoutes(app, model))
  return await runService(base, { settings, log })
}

function addPredictRoutes(app: FastifyInstance, model: Model): void {
  // TensorFlow Serving reads a body as JSON whatever its type says.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'))
  app.setErrorHandler((error, _request, reply) => {
    const { status, message } = describeFailure(error)
    return reply.status(status).send({ error: message })
  })
  app.get<{ Params: { '*': string } }>(`${PREFIX}*`, async (request) => {
    const match = /^([^/:]+)(?:\/versions\/([^/:]+))?$/.exec(request.params['*'])
    if (!match) throw malformed(`GET ${request.url}`)
    if (!isServed(model, match)) throw missing(`Could not find any versions of model ${match[1]}`)
    return {
      model_version_status: [
        { version: model.version, state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } },
      ],
    }
  })
  app.post<{ Params: { '*': string } }>(`${PREFIX}*`, { bodyLimit: BODY_LIMIT }, async (request) => {
    const match = /^([^/:]+)(?:\/versions\/([^/:]+))?:predict$/.exec(request.params['*'])
    if (!match) throw malformed(`POST ${request.url}`)
    if (!isServed(model, match)) throw missing(`Servable not found for request: ${describe(match)}`)
    const { form, texts } = parsePredictRequest(request.body)
    const rows = await embed(texts, model.dimensions)
    return form === 'instances' ? { predictions: rows } : { outputs: rows }
  })
}

async function embed(texts: readonly string[], dimensions: number): Promise<number[][]> {
  const rows: number[][] = []
  for (let first = 0; first < texts.length; first += TURN) {
    if (first > 0) await nextTurn()
    for (const text of texts.slice(first, first + TURN)) rows.push([...embedLexical([text], dimensions)])
  }
  return rows
}

function isServed(model: Model, [, name, version]: RegExpExecArray): boolean {
  return name === model.name && (version === undefined || version === model.version)
}

function describe([, name, version]: RegExpExecArray): string {
  return version === undefined ? `Latest(${name})` : `Specific(${name}, ${version})`
}

function malformed(request: string): HttpError {
  return new HttpError(400, 'bad_request', `Malformed request: ${request}`)
}

function missing(message: string): HttpError {
  return new HttpError(404, 'not_found', message)
}
