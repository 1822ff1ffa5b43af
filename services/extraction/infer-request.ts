import type { Value } from '../../lib/adapters/models/codec.ts'
import { badRequest } from '../http/http-error.ts'
import { decodeBase64, isObject, parseTruncate, type Takes } from './request-values.ts'

export type InferRequest = {
  /** Told again in the answer. */
  readonly id: string | undefined
  readonly values: readonly Value[]
  readonly mayCut: boolean
}

/** The name of the tensor of embeddings. */
export const OUTPUT = 'embedding'

/**
 * The contents of a request of KServe's protocol v2: one tensor `text` or `image` of BYTES, [n] or [n, 1], its data flat or nested;
 * images and, with `"parameters": {"content_type": "base64"}`, texts stand in base64. Raises HttpError 400.
 */
export function parseInferRequest(body: unknown, takes: Takes): InferRequest {
  if (!isObject(body)) throw badRequest('expected a JSON object')
  const { id, inputs, outputs, parameters } = body
  if (id !== undefined && typeof id !== 'string') throw badRequest('id: expected a text')
  if (!Array.isArray(inputs) || inputs.length !== 1) throw badRequest('inputs: expected a list of one tensor')
  const asked = Array.isArray(outputs) ? outputs : outputs === undefined ? [] : [outputs]
  if (!asked.every((output) => isObject(output) && output.name === OUTPUT)) {
    throw badRequest(`outputs: expected none or ${OUTPUT}`)
  }
  const options = isObject(parameters) ? parameters : {}
  return {
    id,
    values: parseTensor(inputs[0], takes),
    mayCut: parseTruncate(options.truncate, 'parameters.truncate'),
  }
}

function parseTensor(tensor: unknown, takes: Takes): Value[] {
  if (!isObject(tensor)) throw badRequest('inputs[0]: expected a tensor')
  const { name, datatype, shape, data, parameters } = tensor
  if (name !== takes) throw badRequest(`inputs[0].name: expected ${takes}, found ${JSON.stringify(name)}`)
  if (datatype !== 'BYTES') throw badRequest('inputs[0].datatype: expected BYTES')
  if (!Array.isArray(data)) throw badRequest('inputs[0].data: expected a list')
  const flat = data.flat()
  const [count, width = 1, ...others] = Array.isArray(shape) ? shape : []
  if (count !== flat.length || count === 0 || width !== 1 || others.length > 0) {
    throw badRequest(
      `inputs[0].shape: expected [${flat.length}] or [${flat.length}, 1], and at least one value`,
    )
  }
  const isEncoded = takes === 'image' || (isObject(parameters) && parameters.content_type === 'base64')
  return flat.map((value, index) => {
    const where = `inputs[0].data[${index}]`
    if (isEncoded) return decodeBase64(value, takes, where)
    if (typeof value === 'string') return value
    throw badRequest(`${where}: expected a text`)
  })
}
