import type { Value } from '../../lib/adapters/models/codec.ts'
import { DeepdetectError } from './deepdetect-answers.ts'
import { decodeBase64, isObject, type Takes } from './request-values.ts'

/** What `PUT /services/NAME` asks for. */
export type ServiceRequest = {
  readonly mllib: string
  readonly description: string
  readonly type: string
  readonly repository: string
  readonly createsRepository: boolean
  readonly parameters: Readonly<Record<'input' | 'mllib' | 'output', Readonly<Record<string, unknown>>>>
}

/** The names that values of the last layer go by. */
const LAYERS: readonly unknown[] = ['last', 'embedding']
const REMOVED: readonly string[] = ['caffe', 'caffe2', 'tf', 'tensorflow']

/** Reads the body of a creation. Raises DeepdetectError: 400 for what is no such body, 1006 for libraries that are gone. */
export function parseServiceRequest(text: unknown): ServiceRequest {
  const body = parseBody(text)
  const { mllib, description = '', type = 'supervised', parameters, model } = body
  if (typeof mllib !== 'string' || !isObject(model)) throw new DeepdetectError(400)
  const given = isObject(parameters) ? parameters : {}
  if (typeof model.repository !== 'string' || !isObject(given.input)) throw new DeepdetectError(400)
  if (REMOVED.includes(mllib)) {
    const advice = 'the requested backend was removed; migrate the service to Torch or ONNX/TensorRT'
    throw new DeepdetectError(1006, advice)
  }
  const part = (name: string) => (isObject(given[name]) ? given[name] : {})
  return {
    ...{ mllib, description: String(description), type: String(type) },
    repository: model.repository,
    createsRepository: model.create_repository === true,
    parameters: { input: part('input'), mllib: part('mllib'), output: part('output') },
  }
}

/** The service that a prediction asks. Raises DeepdetectError 400. */
export function parsePrediction(text: unknown): {
  readonly service: string
  readonly body: Record<string, unknown>
} {
  const body = parseBody(text)
  if (typeof body.service !== 'string') throw new DeepdetectError(400)
  return { service: body.service.toLowerCase(), body }
}

/** The contents to embed. Raises DeepdetectError: 1005 for no or wrong data, 1006 for a layer that is not there. */
export function parseContents(body: Readonly<Record<string, unknown>>, takes: Takes): Value[] {
  const { data, parameters } = body
  const mllib = isObject(parameters) && isObject(parameters.mllib) ? parameters.mllib : {}
  const { extract_layer: layer } = mllib
  if (layer === undefined || layer === '') {
    throw new DeepdetectError(1006, 'this service embeds: parameters.mllib.extract_layer is missing')
  }
  if (!LAYERS.includes(layer)) throw new DeepdetectError(1006, `unknown extract layer ${layer}`)
  if (!Array.isArray(data) || data.length === 0) {
    throw new DeepdetectError(1005, takes === 'text' ? 'no text could be found' : 'no image could be found')
  }
  return data.map((entry, at) => {
    if (typeof entry !== 'string') throw new DeepdetectError(1005, `data[${at}] is no text`)
    return takes === 'text' ? entry : decodeBase64(entry, takes, `data[${at}]`)
  })
}

function parseBody(text: unknown): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(String(text))
    if (isObject(body)) return body
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new DeepdetectError(400)
}
