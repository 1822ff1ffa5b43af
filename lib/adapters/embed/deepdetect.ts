import type { EmbedFault } from '../../ports/embedding-server.ts'
import { joinRows, parseJson } from './rows.ts'
import { noAnswer, type Refusal, toBase64, type Wire, type WireSettings, wrongValues } from './wire.ts'

type Prediction = { readonly uri?: unknown; readonly vals?: unknown }

const NOT_FOUND = 1002
const CONFLICT = 1008

/** DeepDetect's /predict, where a service gives the values of a layer. Source: jolibrain/deepdetect, docs/api.md and src/backends. */
export function createDeepdetectWire({ model, output = 'last' }: WireSettings): Wire {
  return {
    write(contents) {
      const data = contents.map((content) =>
        content.kind === 'text' ? content.text : toBase64(content.bytes),
      )
      const parameters = { input: {}, mllib: { extract_layer: output }, output: {} }
      return { path: '/predict', body: JSON.stringify({ service: model, parameters, data }), sent: data }
    },
    read({ body }, shape) {
      const { body: inner } = (parseJson(body) ?? {}) as { body?: { predictions?: unknown } }
      const predictions = inner?.predictions
      if (typeof predictions !== 'object' || predictions === null) throw noAnswer('answered no "predictions"')
      // Where one item was asked for, some versions answer its prediction alone.
      const list = (Array.isArray(predictions) ? predictions : [predictions]) as readonly Prediction[]
      if (list.length !== shape.count) {
        throw wrongValues(`answered ${list.length} embeddings, expected ${shape.count}`)
      }
      return joinRows(sortByUri(list, shape.sent ?? []), shape)
    },
    judge,
    async findProblem(get) {
      const { status } = await get(`/services/${encodeURIComponent(model)}`)
      return status === 200 ? undefined : `/services/${model} answered ${status}`
    },
  }
}

/**
 * The values in the order of the contents, which answers need not keep. A `uri` is either the position of what came in the
 * request, counted from 0, or what came itself. Raises WrongAnswerError, also where it could be both.
 */
function sortByUri(predictions: readonly Prediction[], sent: readonly string[]): readonly unknown[] {
  if (predictions.length === 1) return [predictions[0]!.vals]
  const positions = findPlaces(predictions, [...sent.keys()].map(String))
  const echoes = findPlaces(predictions, sent)
  const places = positions ?? echoes
  if (!places) throw wrongValues('answered embeddings whose "uri" are not those of the request')
  if (positions && echoes && positions.some((place, at) => place !== echoes[at])) {
    throw wrongValues('answered embeddings whose "uri" can be understood in two ways')
  }
  const sorted: unknown[] = new Array(sent.length)
  for (const [at, place] of places.entries()) sorted[place] = predictions[at]!.vals
  return sorted
}

/** The place of each prediction among `names`, each taken once; undefined where one is not there. */
function findPlaces(predictions: readonly Prediction[], names: readonly string[]): number[] | undefined {
  const free = new Map<unknown, number[]>()
  for (const [place, name] of [...names.entries()].reverse())
    free.set(name, [...(free.get(name) ?? []), place])
  const places = predictions.map(({ uri }) => free.get(uri)?.pop())
  return places.every((place) => place !== undefined) ? places : undefined
}

function judge({ status, json }: Refusal): EmbedFault {
  const { status: told } = (json ?? {}) as { status?: { dd_code?: unknown } }
  if (told?.dd_code === NOT_FOUND || [401, 403, 404].includes(status)) return 'stop'
  if (told?.dd_code === CONFLICT || [409, 429, 503].includes(status)) return 'overloaded'
  return status === 400 || status === 413 ? 'split' : 'transient'
}
