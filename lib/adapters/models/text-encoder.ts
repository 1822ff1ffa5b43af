import { Tokenizer } from '@huggingface/tokenizers'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { RefusedError } from './refused.ts'
import { isObject, type JsonObject, type ModelFiles } from './repository.ts'

/** Turns texts into the numbers of their tokens, special ones included. */
export type TextEncoder = {
  /** Stands where a shorter text of the same batch has ended. */
  readonly padding: number
  /** Tokens that the model takes at most. */
  readonly maxTokens: number
  /** Raises RefusedError for a text of more tokens than the model takes, unless it is to be cut there. */
  encode(text: string, mayCut: boolean): number[]
}

/** What a model takes that tells no limit; longer inputs would cost memory by the square of their length. */
const MOST_TOKENS = 8_192
/** Characters of one token at most, on average, in any text that is worth tokenising. */
const MOST_CHARACTERS = 64

/** Reads the tokenizer of a model. Raises `usage` naming its file. */
export function createTextEncoder(files: Extract<ModelFiles, { takes: 'text' }>): TextEncoder {
  const { tokenizer: source, tokenizerConfig, config } = files
  const tokenizer = openTokenizer(source.path, source.content, tokenizerConfig)
  const maxTokens = findMaxTokens(source.content, tokenizerConfig, config)
  const encodeWhole = (text: string) => tokenizer.encode(text).ids
  const encodeBare = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids
  return {
    padding: findPadding(tokenizer, source.content, tokenizerConfig),
    maxTokens,
    encode(text, mayCut) {
      const isHopeless = text.length > maxTokens * MOST_CHARACTERS
      if (isHopeless && !mayCut) throw refuse(`${text.length} characters`, maxTokens)
      const read = isHopeless ? text.slice(0, maxTokens * MOST_CHARACTERS) : text
      const ids = encodeWhole(read)
      if (ids.length === 0) throw new RefusedError('the text has no tokens')
      if (ids.length <= maxTokens) return ids
      if (!mayCut) throw refuse(`${ids.length} tokens`, maxTokens)
      return cut(ids, encodeBare(read), maxTokens)
    },
  }
}

/** Tokens of a text with those that were added before and behind it: only its own are cut off. */
function cut(whole: readonly number[], bare: readonly number[], most: number): number[] {
  const added = whole.length - bare.length
  const before = Array.from({ length: added + 1 }, (_, start) => start).find((start) =>
    bare.every((id, index) => whole[start + index] === id),
  )
  if (before === undefined) return whole.slice(0, most)
  const kept = Math.max(0, most - added)
  return [...whole.slice(0, before), ...bare.slice(0, kept), ...whole.slice(before + bare.length)]
}

function openTokenizer(path: string, content: JsonObject, config: JsonObject): Tokenizer {
  try {
    const tokenizer = new Tokenizer(content, config)
    tokenizer.encode('a')
    return tokenizer
  } catch (error) {
    throw new LongshoreError('usage', `${path}: expected a tokenizer: ${messageOf(error)}`, { cause: error })
  }
}

function findMaxTokens(content: JsonObject, tokenizerConfig: JsonObject, config: JsonObject): number {
  const truncation = isObject(content.truncation) ? content.truncation.max_length : undefined
  const told = [tokenizerConfig.model_max_length, truncation, config.max_position_embeddings]
  // Tokenizers without a limit tell 1e30.
  const usable = told.filter(
    (value): value is number => typeof value === 'number' && value > 0 && value < 1e9,
  )
  return usable[0] ?? MOST_TOKENS
}

function findPadding(tokenizer: Tokenizer, content: JsonObject, config: JsonObject): number {
  const declared = isObject(content.padding) ? content.padding.pad_id : undefined
  if (typeof declared === 'number') return declared
  const named = isObject(config.pad_token) ? config.pad_token.content : config.pad_token
  return (typeof named === 'string' ? tokenizer.token_to_id(named) : undefined) ?? 0
}

function refuse(found: string, most: number): RefusedError {
  return new RefusedError(`the text has ${found}, the model takes ${most}; "truncate": true cuts it there`)
}
