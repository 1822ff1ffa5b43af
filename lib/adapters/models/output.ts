import { LongshoreError } from '../../domain/errors.ts'
import type { JsonObject } from './repository.ts'

/** An output as the graph describes it; names stand for lengths that follow the input. */
export type OutputMetadata = {
  readonly name: string
  readonly isTensor: boolean
  readonly type?: string
  readonly shape?: readonly (number | string)[]
}

export type Pooling = 'none' | 'mean' | 'first'

/** The output that embeddings are made of: [batch, dimensions] as it is, [batch, tokens, dimensions] by pooling. */
export type ChosenOutput = { readonly name: string; readonly pooling: Pooling }

export type OutputChoice = {
  readonly graph: string
  readonly takes: 'text' | 'image'
  readonly outputs: readonly OutputMetadata[]
  /** The output that the profile names. */
  readonly named: string | undefined
  /** `1_Pooling/config.json` of a model of texts. */
  readonly pooling: JsonObject
  readonly dimensions: number
}

/** In this order: as exporters of sentence models and of vision models call what is an embedding already. */
const USUAL = ['sentence_embedding', 'image_embeds', 'text_embeds', 'pooler_output', 'last_hidden_state']

/**
 * The output to use: the one that is named, else one that is an embedding already, else one with a row for each token.
 * Raises `usage` where none fits.
 */
export function chooseOutput({ graph, takes, outputs, named, ...choice }: OutputChoice): ChosenOutput {
  const names = outputs.map(({ name }) => name).join(', ')
  const fail = (expected: string): never => {
    throw new LongshoreError('usage', `${graph}: expected ${expected}; its outputs are ${names}`, {
      hint: 'extraction.output in the profile names one',
    })
  }
  const candidates = outputs.filter(({ name }) => named === undefined || name === named)
  if (candidates.length === 0) return fail(`an output ${named}`)
  const ofRank = (rank: number) => sortByName(candidates.filter(({ shape }) => shape?.length === rank))
  // What a pooler makes of the first token was trained for another purpose than comparing texts.
  const isPooler = (name: string) => takes === 'text' && named === undefined && name === 'pooler_output'
  const whole = ofRank(2).filter(({ name }) => !isPooler(name))
  const chosen = whole[0] ?? ofRank(3)[0] ?? ofRank(2)[0]
  if (!chosen) return fail('an output [batch, dimensions] or [batch, tokens, dimensions]')
  if (chosen.type !== 'float32') return fail(`${chosen.name} as float32, found ${chosen.type}`)
  const length = chosen.shape!.at(-1)
  if (typeof length === 'number' && length !== choice.dimensions) {
    return fail(`${chosen.name} with ${choice.dimensions} dimensions as the model declares, found ${length}`)
  }
  return {
    name: chosen.name,
    pooling: chosen.shape!.length === 2 ? 'none' : choosePooling(choice.pooling, fail),
  }
}

function sortByName(outputs: readonly OutputMetadata[]): OutputMetadata[] {
  const rank = ({ name }: OutputMetadata) => (USUAL.includes(name) ? USUAL.indexOf(name) : USUAL.length)
  return [...outputs].sort((a, b) => rank(a) - rank(b))
}

function choosePooling(pooling: JsonObject, fail: (expected: string) => never): Pooling {
  const asked = Object.keys(pooling).filter((key) => /^pooling_mode_/.test(key) && pooling[key] === true)
  if (asked.length === 0 || (asked.length === 1 && asked[0] === 'pooling_mode_mean_tokens')) return 'mean'
  if (asked.length === 1 && asked[0] === 'pooling_mode_cls_token') return 'first'
  return fail(`1_Pooling/config.json to ask for the mean or the first token alone, found ${asked.join(', ')}`)
}
