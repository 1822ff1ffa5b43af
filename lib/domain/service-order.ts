import { LongshoreError } from './errors.ts'
import type { ModelService, ServiceOrder, ServiceParameters } from './model-service.ts'

export type OrderFacts = {
  /** As the server that has it tells. */
  readonly source: ModelService
  /** Where the files lie as the source and the target see it. */
  readonly from: string
  readonly to: string
  /** Members that replace or join those of the source. */
  readonly given: Partial<ServiceParameters>
  /** Paths of the files in the repository. */
  readonly files: readonly string[]
}

export type PlannedOrder = {
  readonly order: ServiceOrder
  /** What was left out or changed, in words for the operator. */
  readonly notes: readonly string[]
}

/** Files that a network or its weights lie in, by the libraries of DeepDetect. */
const NETWORK = /\.(caffemodel|prototxt|solverstate|pt|ptw|onnx|pb|trt|engine|bin|param|ncnn|model)$/i
/** What makes a new network in a repository, or takes weights from elsewhere. */
const MAKES_NETWORK = ['template', 'finetuning', 'weights'] as const

/**
 * The creation of a service like the source over a copy of its files. Parameters that would put a new network in their place never go
 * along: those of the source are left out. Raises `gate` where the operator gives some for files that hold a network.
 */
export function planOrder({ source, from, to, given, files }: OrderFacts): PlannedOrder {
  const network = files.find((path) => NETWORK.test(path))
  const refused = MAKES_NETWORK.find((name) => given.mllib?.[name] !== undefined)
  if (network !== undefined && refused !== undefined) {
    throw new LongshoreError(
      'gate',
      `target.parameters.mllib.${refused} is refused: the repository holds a network (${network}), which a ${refused} would overwrite`,
      { hint: `take ${refused} out of target.parameters.mllib of the move in the profile` },
    )
  }
  const told = source.parameters ?? { input: {}, mllib: {}, output: {} }
  const left = MAKES_NETWORK.filter((name) => told.mllib[name] !== undefined)
  const kept = Object.fromEntries(
    Object.entries(told.mllib).filter(([name]) => !(MAKES_NETWORK as readonly string[]).includes(name)),
  )
  const parameters = {
    input: { ...told.input, ...given.input },
    mllib: { ...kept, ...given.mllib },
    output: { ...told.output, ...given.output },
  }
  const mapped = mapPaths(parameters, { from, to }) as ServiceParameters
  const isMapped = JSON.stringify(mapped) !== JSON.stringify(parameters)
  const { mllib, description, type } = source
  return {
    order: { mllib, description, type, parameters: mapped, model: { repository: to } },
    notes: [
      ...left.map((name) => `mllib.${name} is left out: it would overwrite the network`),
      ...(isMapped ? [`paths below ${from} become paths below ${to}`] : []),
    ],
  }
}

/** Replaces the directory at the beginning of every text of a value that lies in it. */
function mapPaths(value: unknown, paths: { readonly from: string; readonly to: string }): unknown {
  const { from, to } = paths
  if (typeof value === 'string') {
    return value === from || value.startsWith(`${from}/`) ? `${to}${value.slice(from.length)}` : value
  }
  if (Array.isArray(value)) return value.map((one) => mapPaths(one, paths))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mapPaths(one, paths)]))
}
