import type { Content } from '../../domain/content.ts'
import { EmbedError, type EmbedFault } from '../../ports/embedding-server.ts'
import { joinFlat, parseJson } from './rows.ts'
import {
  type Get,
  noAnswer,
  type Refusal,
  renderModelPath,
  toBase64,
  type Wire,
  type WireRequest,
  type WireSettings,
  WrongAnswerError,
} from './wire.ts'

/** The tensor that contents go into. */
export type InputTensor = {
  readonly name: string
  /** Whether it is a column [contents, 1], as of models whose server forms batches by itself. */
  readonly isColumn: boolean
}

/** A tensor of an answer. */
export type OutputTensor = {
  readonly name?: unknown
  readonly datatype?: unknown
  readonly data?: unknown
  readonly parameters?: { readonly binary_data_size?: unknown }
}

type Metadata = {
  readonly inputs?: readonly { readonly name?: string; readonly shape?: readonly number[] }[]
}

/** KServe's protocol v2 with JSON, as MLServer, OVMS, Triton and others speak it. Source: kserve/open-inference-protocol. */
export function createKserveWire(settings: WireSettings): Wire {
  return createInferWire(settings, {
    write: (contents, tensor) => ({
      body: JSON.stringify({
        inputs: [
          {
            ...describeTensor(tensor, contents.length),
            ...(contents[0]?.kind === 'image' && { parameters: { content_type: 'base64' } }),
            data: contents.map(renderValue),
          },
        ],
        ...(settings.output !== undefined && { outputs: [{ name: settings.output }] }),
      }),
    }),
    read({ body }, shape) {
      const { data } = chooseTensor(parseJson(body), settings.output)
      if (!Array.isArray(data)) throw noAnswer('answered a tensor without "data"')
      return joinFlat(data, shape)
    },
  })
}

export type InferEncoding = Pick<Wire, 'read'> & {
  write(contents: readonly Content[], tensor: InputTensor): Omit<WireRequest, 'path'>
}

/** What is the same whatever tensors are written as: paths, readiness, and the name of the input, which the server tells. */
export function createInferWire(settings: WireSettings, { write, read }: InferEncoding): Wire {
  const path = `/v2/models/${renderModelPath(settings.model)}`
  const createWith = (tensor: InputTensor): Wire => ({
    write: (contents) => ({ path: `${path}/infer`, ...write(contents, tensor) }),
    read,
    judge,
    async findProblem(get) {
      for (const asked of ['/v2/health/ready', `${path}/ready`]) {
        const { status } = await get(asked)
        if (status !== 200) return `${asked} answered ${status}`
      }
      return undefined
    },
  })
  return {
    ...createWith({ name: settings.input ?? 'text', isColumn: false }),
    learn: async (get) => createWith(await findInput(path, settings.input, get)),
  }
}

export function describeTensor({ name, isColumn }: InputTensor, count: number) {
  return { name, shape: isColumn ? [count, 1] : [count], datatype: 'BYTES' }
}

/** The one tensor of an answer, or the one that is named. Raises WrongAnswerError. */
export function chooseTensor(answer: unknown, output: string | undefined): OutputTensor {
  const { outputs } = (answer ?? {}) as { outputs?: unknown }
  if (!Array.isArray(outputs)) throw noAnswer('answered no list of "outputs"')
  const tensors = outputs as readonly OutputTensor[]
  const found = output === undefined ? tensors : tensors.filter(({ name }) => name === output)
  const [tensor] = found
  if (tensor === undefined || found.length > 1) {
    const names = tensors.map(({ name }) => name).join(', ')
    const what = `answered the tensors ${names}; extraction.output in the profile names one`
    throw new WrongAnswerError('stop', what)
  }
  if (tensor.datatype === 'FP32' || tensor.datatype === 'FP64') return tensor
  throw new WrongAnswerError('stop', `answered ${tensor.name} as ${tensor.datatype}, expected FP32`)
}

/** Asks the server for the name and form of the input. Raises EmbedError `stop` where they cannot be told. */
async function findInput(path: string, input: string | undefined, get: Get): Promise<InputTensor> {
  const { status, body } = await get(path)
  if (status !== 200) {
    if (input !== undefined) return { name: input, isColumn: false }
    const fault = status === 404 || status === 401 || status === 403 ? 'stop' : 'transient'
    throw new EmbedError(fault, `${path} answered ${status} when asked for the model's inputs`)
  }
  const { inputs = [] } = (parseJson(body) ?? {}) as Metadata
  const found = input === undefined ? inputs : inputs.filter(({ name }) => name === input)
  const [tensor] = found
  if (tensor?.name !== undefined && found.length === 1) {
    return { name: tensor.name, isColumn: tensor.shape?.length === 2 }
  }
  const names = inputs.map(({ name }) => name).join(', ')
  throw new EmbedError('stop', `the model has the inputs ${names}; extraction.input in the profile names one`)
}

function renderValue(content: Content): string {
  return content.kind === 'text' ? content.text : toBase64(content.bytes)
}

/** A model that is not ready is told by Triton as 400, which is the fault of no item. */
function judge({ status, message }: Refusal): EmbedFault {
  if (status === 400 && /not ready|unavailable|no available versions/i.test(message)) return 'transient'
  if (status === 400 && /unknown model/i.test(message)) return 'stop'
  if ([401, 403, 404, 501].includes(status)) return 'stop'
  if ([429, 503, 504].includes(status)) return 'overloaded'
  return [400, 413, 422].includes(status) ? 'split' : 'transient'
}
