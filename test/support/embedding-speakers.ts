import type { EmbedFault } from '../../lib/ports/embedding-server.ts'
import type { StubAnswer, StubRequest } from './embedding-stub.ts'

/** A vector of any kind of value: what servers send by mistake is among them. */
export type Row = readonly unknown[]

/** A protocol as its server speaks it, written from its documentation and apart from what is tested. */
export type Speaker = {
  /** How the profile declares it. */
  readonly extraction: Readonly<Record<string, string>>
  /** Texts or base64 of a request; undefined where it is no request for embeddings. */
  read(request: StubRequest): readonly string[] | undefined
  write(rows: readonly Row[], asked: readonly string[]): StubAnswer
  /** Answers to other requests by their paths, when all is well. */
  readonly well: Readonly<Record<string, unknown>>
  /** The same while the model is loading. */
  readonly loading: Readonly<Record<string, StubAnswer>>
  /** Refusals, and what to do about each. */
  readonly refusals: readonly (readonly [EmbedFault, number, unknown])[]
  readonly hasImages: boolean
  /** Whether its numbers are bytes, which cannot be none. */
  readonly isBinary?: boolean
}

const json = ({ body }: StubRequest) => JSON.parse(body.toString())
/** As TensorFlow Serving writes numbers: bare NaN. */
const bare = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(bare).join(',')}]`
    : typeof value === 'number'
      ? String(value)
      : JSON.stringify(value)
const status = (state: string, error_message = '') => ({
  model_version_status: [{ version: '1', state, status: { error_code: 'OK', error_message } }],
})
const floats = (rows: readonly Row[]) => {
  const values = rows.flat() as number[]
  const bytes = Buffer.alloc(4 * values.length)
  for (const [at, value] of values.entries()) bytes.writeFloatLE(value, 4 * at)
  return bytes
}
const text = (value: string | { b64: string }) => (typeof value === 'string' ? value : value.b64)

const TF_REFUSALS: Speaker['refusals'] = [
  ['split', 400, { error: 'Input to reshape is a tensor with 3 values, but the requested shape has 4' }],
  ['overloaded', 503, { error: 'The batch scheduling queue to which this task was submitted is full' }],
  ['overloaded', 429, { error: 'Resource exhausted' }],
  ['overloaded', 504, { error: 'Deadline exceeded' }],
  ['overloaded', 499, { error: 'Cancelled' }],
  ['transient', 500, { error: 'Internal' }],
  ['stop', 404, { error: 'Servable not found for request: Latest(m)' }],
  ['stop', 401, ''],
  ['stop', 403, '<html>Forbidden</html>'],
  ['stop', 501, { error: 'Unimplemented' }],
]
const INFER_REFUSALS: Speaker['refusals'] = [
  ['split', 400, { error: "unexpected shape for input 'text' for model 'm'. Expected [-1,1], got [2]" }],
  ['transient', 400, { error: "Request for unknown model: 'm' version 1 is not ready" }],
  ['transient', 400, { error: 'Request for model: m has no available versions' }],
  ['overloaded', 503, { error: 'Exceeds maximum queue size' }],
  ['transient', 500, { error: 'CUDA out of memory' }],
  ['stop', 404, { error: "Request for unknown model: 'm' is not found" }],
  ['stop', 401, { error: 'Unauthorized' }],
]
const INFER_WELL = {
  '/v2/health/ready': {},
  '/v2/models/m/ready': {},
  '/v2/models/m': { name: 'm', inputs: [{ name: 'TEXT', datatype: 'BYTES', shape: [-1, 1] }], outputs: [] },
}
const INFER_LOADING = {
  '/v2/health/ready': {},
  '/v2/models/m/ready': { status: 400, body: '{"error":"model not ready"}' },
}
const checkTensor = (
  { name, shape, datatype }: { name: string; shape: unknown; datatype: string },
  count: number,
) => {
  const found = JSON.stringify([name, shape, datatype])
  if (found !== JSON.stringify(['TEXT', [count, 1], 'BYTES'])) throw new Error(`asked with ${found}`)
}

export const SPEAKERS: Readonly<Record<string, Speaker>> = {
  'tf-serving with inputs': {
    extraction: { protocol: 'tf-serving' },
    read: (request) => (request.path === '/v1/models/m:predict' ? json(request).inputs.map(text) : undefined),
    write: (rows) => ({ body: `{"outputs": ${bare(rows)}}` }),
    well: { '/v1/models/m': status('AVAILABLE') },
    loading: { '/v1/models/m': { body: JSON.stringify(status('LOADING')) } },
    refusals: TF_REFUSALS,
    hasImages: true,
  },
  'tf-serving with instances and names': {
    extraction: {
      ...{ protocol: 'tf-serving', form: 'instances', input: 'bytes', output: 'embedding' },
      serverModel: 'm/versions/3',
    },
    read: (request) =>
      request.path === '/v1/models/m/versions/3:predict'
        ? json(request).instances.map(({ bytes }: { bytes: string }) => text(bytes))
        : undefined,
    write: (rows) => ({
      body: `{"predictions":[${rows.map((row) => `{"other":[1],"embedding":${bare(row)}}`).join(',')}]}`,
    }),
    well: { '/v1/models/m/versions/3': status('AVAILABLE') },
    loading: { '/v1/models/m/versions/3': { body: JSON.stringify(status('END', 'out of memory')) } },
    refusals: TF_REFUSALS,
    hasImages: true,
  },
  kserve: {
    extraction: { protocol: 'kserve' },
    read(request) {
      if (request.path !== '/v2/models/m/infer') return undefined
      const { inputs } = json(request)
      checkTensor(inputs[0], inputs[0].data.length)
      return inputs[0].data
    },
    write: (rows) => {
      const output = `"name":"E","shape":[${rows.length},${rows[0]?.length}],"datatype":"FP32","data":${bare(rows.flat())}`
      return { body: `{"model_name":"m","outputs":[{${output}}]}` }
    },
    well: INFER_WELL,
    loading: INFER_LOADING,
    refusals: INFER_REFUSALS,
    hasImages: true,
  },
  triton: {
    extraction: { protocol: 'triton', output: 'E' },
    read(request) {
      if (request.path !== '/v2/models/m/infer') return undefined
      const headBytes = Number(request.headers['inference-header-content-length'])
      const head = JSON.parse(request.body.subarray(0, headBytes).toString())
      const texts: string[] = []
      for (let at = headBytes; at < request.body.length; ) {
        const length = request.body.readUInt32LE(at)
        const bytes = request.body.subarray(at + 4, at + 4 + length)
        texts.push(bytes[0] === 0xff ? bytes.toString('base64') : bytes.toString())
        at += 4 + length
      }
      checkTensor(head.inputs[0], texts.length)
      if (head.inputs[0].parameters.binary_data_size !== request.body.length - headBytes)
        throw new Error('size')
      if (head.outputs[0].parameters.binary_data !== true) throw new Error('asks for no binary output')
      return texts
    },
    write(rows) {
      const [other, data] = [Buffer.alloc(8), floats(rows)]
      const describe = (name: string, bytes: Buffer) => ({
        ...{ name, datatype: 'FP32', shape: [rows.length, bytes.length / 4 / Math.max(1, rows.length)] },
        parameters: { binary_data_size: bytes.length },
      })
      const head = Buffer.from(JSON.stringify({ outputs: [describe('other', other), describe('E', data)] }))
      return {
        headers: { 'inference-header-content-length': String(head.length) },
        body: Buffer.concat([head, other, data]),
      }
    },
    well: INFER_WELL,
    loading: INFER_LOADING,
    refusals: INFER_REFUSALS,
    hasImages: true,
    isBinary: true,
  },
  tei: {
    extraction: { protocol: 'tei' },
    read(request) {
      if (request.path !== '/embed') return undefined
      const { inputs, truncate, normalize } = json(request)
      if (truncate !== false || normalize !== true) throw new Error('asks for texts to be cut')
      return inputs
    },
    write: (rows) => ({ headers: { 'x-compute-tokens': '7' }, body: bare(rows) }),
    well: {
      '/health': '',
      '/info': {
        ...{ model_id: 'BAAI/bge', model_sha: 'abc', model_dtype: 'float16', max_concurrent_requests: 512 },
        ...{
          model_type: { embedding: { pooling: 'cls' } },
          max_batch_tokens: 16384,
          max_client_batch_size: 32,
        },
      },
    },
    loading: { '/health': { status: 503, body: '{"error":"unhealthy","error_type":"Unhealthy"}' } },
    refusals: [
      ['split', 422, { error: 'batch size 64 > maximum allowed batch size 32', error_type: 'Validation' }],
      ['split', 413, ''],
      ['split', 400, { error: '`inputs` cannot be empty', error_type: 'Empty' }],
      ['overloaded', 429, { error: 'Model is overloaded', error_type: 'Overloaded' }],
      ['transient', 424, { error: 'Inference failed', error_type: 'Backend' }],
      ['overloaded', 503, { error: 'unhealthy', error_type: 'Unhealthy' }],
      ['stop', 401, ''],
    ],
    hasImages: false,
  },
  openai: {
    extraction: { protocol: 'openai' },
    read(request) {
      if (request.path !== '/v1/embeddings') return undefined
      const { input, model, encoding_format } = json(request)
      if (model !== 'm' || encoding_format !== 'base64') throw new Error('asks for no base64')
      return input.map((value: string) => value.replace('data:image/jpeg;base64,', ''))
    },
    write(rows) {
      const data = rows
        .map((row, index) => ({ index, embedding: floats([row]).toString('base64') }))
        .reverse()
      const usage = { prompt_tokens: 7, total_tokens: 7 }
      return { body: JSON.stringify({ object: 'list', data, model: 'm', usage }) }
    },
    well: { '/v1/models': { data: [{ id: 'm' }] } },
    loading: { '/v1/models': { status: 503 } },
    refusals: [
      ['split', 400, { error: { message: "This model's maximum context length is 8192 tokens" } }],
      ['split', 413, ''],
      ['split', 422, { detail: [{ msg: 'too many items' }] }],
      ['overloaded', 429, { error: { message: 'Rate limit reached', code: 'rate_limit_exceeded' } }],
      ['stop', 429, { error: { message: 'You exceeded your current quota', code: 'insufficient_quota' } }],
      ['overloaded', 429, { error: { message: 'model m is currently overloaded' } }],
      ['stop', 400, { error: { message: 'Model m not found' } }],
      ['transient', 500, { error: { message: 'The server had an error' } }],
      ['overloaded', 503, ''],
      ['stop', 401, { error: { message: 'Incorrect API key provided: secret-key' } }],
      ['stop', 403, ''],
      ['stop', 404, { error: { message: 'The model `m` does not exist' } }],
    ],
    hasImages: true,
    isBinary: true,
  },
  deepdetect: {
    extraction: { protocol: 'deepdetect' },
    read(request) {
      if (request.path !== '/predict') return undefined
      const { service, parameters, data } = json(request)
      if (service !== 'm' || parameters.mllib.extract_layer !== 'last') throw new Error('asks for no layer')
      return data
    },
    write: (rows) => ({
      body: `{"status":{"code":200,"msg":"OK"},"head":{"method":"/predict","service":"m","time":1},"body":{"predictions":[${rows
        .map((row, at) => `{"uri":"${at}","vals":${bare(row)}}`)
        .reverse()
        .join(',')}]}}`,
    }),
    well: { '/services/m': { status: { code: 200, msg: 'OK' } } },
    loading: {
      '/services/m': { status: 404, body: '{"status":{"code":404,"msg":"NotFound","dd_code":1002}}' },
    },
    refusals: [
      ['split', 400, { status: { code: 400, dd_code: 1006, dd_msg: 'Service Bad Request Error' } }],
      ['transient', 500, { status: { code: 500, dd_code: 1007, dd_msg: 'out of memory' } }],
      ['overloaded', 409, { status: { code: 409, dd_code: 1008, dd_msg: 'Train / Predict Conflict' } }],
      ['stop', 404, { status: { code: 404, dd_code: 1002, dd_msg: 'Service Not Found' } }],
    ],
    hasImages: true,
  },
}
