import type { Content } from '../../domain/content.ts'
import type { HttpAnswer } from '../http/client.ts'
import {
  chooseTensor,
  createInferWire,
  describeTensor,
  type InputTensor,
  type OutputTensor,
} from './kserve.ts'
import { joinFlat, parseJson, readFloats } from './rows.ts'
import { noAnswer, type Shape, type Wire, type WireSettings, WrongAnswerError, wrongValues } from './wire.ts'

const JSON_LENGTH = 'inference-header-content-length'
const LENGTH_BYTES = 4

/**
 * KServe's protocol v2 with Triton's binary tensors: a JSON head whose length a header tells, and behind it the tensors,
 * little-endian, in their order. Source: triton-inference-server/server, docs/protocol/extension_binary_data.md.
 */
export function createTritonWire(settings: WireSettings): Wire {
  const { output } = settings
  return createInferWire(settings, {
    write(contents, tensor) {
      const data = packStrings(contents)
      const head = Buffer.from(renderHead(tensor, contents.length, { bytes: data.length, output }))
      return {
        body: Buffer.concat([head, data]),
        contentType: 'application/octet-stream',
        headers: { [JSON_LENGTH]: String(head.length) },
      }
    },
    read: (answer, shape) => readTensor(answer, output, shape),
  })
}

function renderHead(
  tensor: InputTensor,
  count: number,
  { bytes, output }: { readonly bytes: number; readonly output: string | undefined },
): string {
  return JSON.stringify({
    inputs: [{ ...describeTensor(tensor, count), parameters: { binary_data_size: bytes } }],
    ...(output === undefined
      ? { parameters: { binary_data_output: true } }
      : { outputs: [{ name: output, parameters: { binary_data: true } }] }),
  })
}

/** A tensor of type BYTES: each element behind its length. */
function packStrings(contents: readonly Content[]): Buffer {
  const parts = contents.flatMap((content) => {
    const bytes = content.kind === 'text' ? Buffer.from(content.text) : content.bytes
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32LE(bytes.length)
    return [length, bytes]
  })
  return Buffer.concat(parts)
}

function readTensor({ body, headers }: HttpAnswer, output: string | undefined, shape: Shape): Float32Array {
  const headBytes = headers[JSON_LENGTH] === undefined ? body.length : Number(headers[JSON_LENGTH])
  if (!(headBytes >= 0 && headBytes <= body.length))
    throw noAnswer('answered a head that is longer than it all')
  const head = parseJson(body.subarray(0, headBytes))
  const tensor = chooseTensor(head, output)
  if (Array.isArray(tensor.data)) return joinFlat(tensor.data, shape)
  if (tensor.datatype !== 'FP32') {
    throw new WrongAnswerError('stop', `answered ${tensor.name} as ${tensor.datatype}, expected FP32`)
  }
  const { outputs } = head as { outputs: readonly OutputTensor[] }
  const before = outputs.slice(0, outputs.indexOf(tensor)).reduce((sum, other) => sum + sizeOf(other), 0)
  const bytes = body.subarray(headBytes + before, headBytes + before + sizeOf(tensor))
  const expected = shape.count * shape.dimensions * Float32Array.BYTES_PER_ELEMENT
  if (bytes.length === expected) return readFloats(bytes)
  throw wrongValues(
    `answered ${bytes.length} bytes, expected ${shape.count} x ${shape.dimensions} float32 values`,
  )
}

function sizeOf({ parameters }: OutputTensor): number {
  const size = parameters?.binary_data_size ?? 0
  if (typeof size === 'number' && size >= 0) return size
  throw noAnswer('answered a tensor without its size in bytes')
}
