import type { Content } from '../../domain/content.ts'
import type { EmbedFault } from '../../ports/embedding-server.ts'
import { joinRows, parseJson } from './rows.ts'
import {
  noAnswer,
  type Refusal,
  renderModelPath,
  toBase64,
  type Wire,
  type WireSettings,
  WrongAnswerError,
} from './wire.ts'

const OVERLOADED = [429, 499, 503, 504]
const STOP = [401, 403, 404, 501]

/** TensorFlow Serving's REST API. Source: tensorflow/serving, g3doc/api_rest.md and util/json_tensor.cc. */
export function createTfServingWire(settings: WireSettings): Wire {
  const { model, input, output, form = 'inputs' } = settings
  const path = `/v1/models/${renderModelPath(model)}`
  return {
    write(contents) {
      const values = contents.map(renderValue)
      const body =
        form === 'inputs'
          ? { inputs: input === undefined ? values : { [input]: values } }
          : { instances: input === undefined ? values : values.map((value) => ({ [input]: value })) }
      return { path: `${path}:predict`, body: JSON.stringify(body) }
    },
    read: ({ body }, shape) => joinRows(chooseRows(parseJson(body), output), shape),
    judge,
    async findProblem(get) {
      const { status, body } = await get(path)
      if (status !== 200) return `the model ${model} is not there (${status})`
      const versions = (parseJson(body) as Versions | null)?.model_version_status ?? []
      if (versions.some(({ state }) => state === 'AVAILABLE')) return undefined
      const states = versions.map(({ version, state, status }) =>
        [`version ${version} is ${state}`, status?.error_message].filter(Boolean).join(': '),
      )
      return `no version of ${model} is available${states.length > 0 ? `: ${states.join(', ')}` : ''}`
    },
  }
}

type Versions = {
  readonly model_version_status?: readonly {
    readonly version?: string
    readonly state?: string
    readonly status?: { readonly error_message?: string }
  }[]
}

function renderValue(content: Content): string | { b64: string } {
  return content.kind === 'text' ? content.text : { b64: toBase64(content.bytes) }
}

/** The rows of the embeddings: of the one output, or of the one that is named. */
function chooseRows(answer: unknown, output: string | undefined): readonly unknown[] {
  const { outputs, predictions } = (answer ?? {}) as { outputs?: unknown; predictions?: unknown }
  if (Array.isArray(outputs)) return outputs
  if (isObject(outputs)) {
    const named = chooseOutput(outputs, output)
    if (Array.isArray(named)) return named
  }
  if (Array.isArray(predictions)) {
    return predictions.map((row) => (isObject(row) ? chooseOutput(row, output) : row))
  }
  throw noAnswer('answered neither "outputs" nor "predictions" that are lists')
}

function chooseOutput(outputs: Readonly<Record<string, unknown>>, output: string | undefined): unknown {
  if (output !== undefined && output in outputs) return outputs[output]
  const names = Object.keys(outputs).join(', ')
  const what = `answered the outputs ${names}; extraction.output in the profile names one`
  throw new WrongAnswerError('stop', what)
}

function judge({ status }: Refusal): EmbedFault {
  if (OVERLOADED.includes(status)) return 'overloaded'
  if (STOP.includes(status)) return 'stop'
  return status === 400 || status === 413 ? 'split' : 'transient'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
