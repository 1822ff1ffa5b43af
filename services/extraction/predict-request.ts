import { HttpError } from '../http/http-error.ts'

/** Which form a request came in decides the form of its answer: rows (`instances`) or columns (`inputs`). */
export type PredictRequest = { readonly form: 'instances' | 'inputs'; readonly texts: readonly string[] }

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/**
 * The texts of a request to TensorFlow Serving's REST API: `{"instances": ["a", {"text": "b"}, {"b64": "Yw=="}]}`,
 * `{"inputs": ["a"]}` or `{"inputs": {"text": ["a"]}}`. Raises HttpError 400.
 */
export function parsePredictRequest(body: unknown): PredictRequest {
  if (!isObject(body)) throw invalid('expected a JSON object')
  const { instances, inputs } = body
  if (instances !== undefined && inputs !== undefined) {
    throw invalid("expected either 'instances' or 'inputs', found both")
  }
  if (instances !== undefined) return { form: 'instances', texts: parseList(instances, 'instances') }
  if (inputs === undefined) throw invalid("expected 'instances' or 'inputs', found neither")
  return isObject(inputs) && inputs.b64 === undefined
    ? { form: 'inputs', texts: parseList(inputs.text, 'inputs.text') }
    : { form: 'inputs', texts: parseList(Array.isArray(inputs) ? inputs : [inputs], 'inputs') }
}

function parseList(list: unknown, where: string): string[] {
  if (!Array.isArray(list) || list.length === 0) throw invalid(`${where}: expected a list of texts`)
  return list.map((entry, index) => parseText(entry, `${where}[${index}]`))
}

function parseText(entry: unknown, where: string): string {
  if (typeof entry === 'string') return entry
  if (isObject(entry) && typeof entry.b64 === 'string' && BASE64.test(entry.b64)) {
    return Buffer.from(entry.b64, 'base64').toString('utf8')
  }
  if (isObject(entry) && entry.text !== undefined) return parseText(entry.text, `${where}.text`)
  throw invalid(`${where}: expected a text, {"text": ...} or {"b64": ...}`)
}

function invalid(message: string): HttpError {
  return new HttpError(400, 'bad_request', message)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
