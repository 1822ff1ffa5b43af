import type { FastifyInstance } from 'fastify'
import { HttpError } from '../http/http-error.ts'
import { assertLoaded, BODY_LIMITS, isServed, type Named, type Served } from './model-routes.ts'
import { parsePredictRequest } from './predict-request.ts'

type Path = { Params: { '*': string } }

const PREFIX = '/v1/models/'
const MODEL = /^([^/:]+)(?:\/versions\/([^/:]+))?$/
const PREDICT = /^([^/:]+)(?:\/versions\/([^/:]+))?:predict$/

/** TensorFlow Serving's REST API. Source: tensorflow/serving, g3doc/api_rest.md. */
export function addPredictRoutes(app: FastifyInstance, served: Served): void {
  const { model, embedding } = served
  const bodyLimit = BODY_LIMITS[embedding.takes]
  app.get<Path>(`${PREFIX}*`, async (request) => {
    const named = parsePath(MODEL, request.params['*'], `GET ${request.url}`)
    if (!isServed(served, named)) throw missing(`Could not find any versions of model ${named.name}`)
    const state = embedding.problem() === undefined ? 'AVAILABLE' : 'LOADING'
    return {
      model_version_status: [
        { version: model.version, state, status: { error_code: 'OK', error_message: '' } },
      ],
    }
  })
  app.post<Path>(`${PREFIX}*`, { bodyLimit }, async (request) => {
    const named = parsePath(PREDICT, request.params['*'], `POST ${request.url}`)
    if (!isServed(served, named)) throw missing(`Servable not found for request: ${describe(named)}`)
    assertLoaded(served)
    const { form, values, mayCut } = parsePredictRequest(request.body, embedding.takes)
    const rows = (await embedding.embed(values, mayCut)).map((row) => [...row])
    return form === 'instances' ? { predictions: rows } : { outputs: rows }
  })
}

function parsePath(form: RegExp, path: string, request: string): Named {
  const match = form.exec(path)
  if (match) return { name: match[1], version: match[2] }
  throw new HttpError(400, 'bad_request', `Malformed request: ${request}`)
}

function describe({ name, version }: Named): string {
  return version === undefined ? `Latest(${name})` : `Specific(${name}, ${version})`
}

function missing(message: string): HttpError {
  return new HttpError(404, 'not_found', message)
}
