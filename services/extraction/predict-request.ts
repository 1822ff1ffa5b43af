import type { Value } from '../../lib/adapters/models/codec.ts'
import { badRequest } from '../http/http-error.ts'
import { decodeBase64, isObject, parseTruncate, type Takes } from './request-values.ts'

/** Which form a request came in decides the form of its answer: rows (`instances`) or columns (`inputs`). */
export type PredictRequest = {
  readonly form: 'instances' | 'inputs'
  readonly values: readonly Value[]
  /** An addition of ours: texts that are too long are cut, not refused. */
  readonly mayCut: boolean
}

/**
 * The contents of a request to TensorFlow Serving's REST API: `{"instances": ["a", {"text": "b"}, {"b64": "Yw=="}]}`,
 * `{"inputs": ["a"]}` or `{"inputs": {"text": ["a"]}}`; images stand in `{"b64": ...}`, and their input is called `image`. Raises
 * HttpError 400.
 */
export function parsePredictRequest(body: unknown, takes: Takes): PredictRequest {
  if (!isObject(body)) throw badRequest('expected a JSON object')
  const { instances, inputs } = body
  if (instances !== undefined && inputs !== undefined) {
    throw badRequest("expected either 'instances' or 'inputs', found both")
  }
  const mayCut = parseTruncate(body.truncate, 'truncate')
  const read = (list: unknown, where: string) => parseList(list, takes, where)
  if (instances !== undefined) return { form: 'instances', values: read(instances, 'instances'), mayCut }
  if (inputs === undefined) throw badRequest("expected 'instances' or 'inputs', found neither")
  const values =
    isObject(inputs) && inputs.b64 === undefined
      ? read(inputs[takes], `inputs.${takes}`)
      : read(Array.isArray(inputs) ? inputs : [inputs], 'inputs')
  return { form: 'inputs', values, mayCut }
}

function parseList(list: unknown, takes: Takes, where: string): Value[] {
  if (!Array.isArray(list) || list.length === 0) throw badRequest(`${where}: expected a list of ${takes}s`)
  return list.map((entry, index) => parseValue(entry, takes, `${where}[${index}]`))
}

function parseValue(entry: unknown, takes: Takes, where: string): Value {
  if (takes === 'text' && typeof entry === 'string') return entry
  if (isObject(entry) && entry.b64 !== undefined) return decodeBase64(entry.b64, takes, `${where}.b64`)
  if (isObject(entry) && entry[takes] !== undefined)
    return parseValue(entry[takes], takes, `${where}.${takes}`)
  const forms =
    takes === 'text' ? 'a text, {"text": ...} or {"b64": ...}' : '{"b64": ...} or {"image": {"b64": ...}}'
  throw badRequest(`${where}: expected ${forms}`)
}
