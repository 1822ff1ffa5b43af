import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of ONNX's protobuf, by the field numbers of onnx.proto3. */
type Bytes = Uint8Array

const FLOAT = 1
const INT64 = 7

export type TensorFacts = {
  readonly name: string
  readonly type: number
  readonly shape: (number | string)[]
}

/** A model of texts: a row of a table for each token. Word ids are 1 for [CLS], 2 for [SEP], 3 for unknown, then `words`. */
export type TextModel = {
  readonly words: readonly string[]
  readonly dimensions: number
  /** Value of the table at [token, column]. */
  readonly valueAt: (token: number, column: number) => number
  /** Adds an output `sentence_embedding` [batch, dimensions]: the sum over all tokens, padding included. */
  readonly hasSentence?: boolean
  readonly maxTokens?: number
  /** Rows of the table, where they are fewer than tokens: those beyond make a run fail. */
  readonly rows?: number
  /** `1_Pooling/config.json` */
  readonly pooling?: object
}

const SPECIAL = ['[PAD]', '[CLS]', '[SEP]', '[UNK]']

/** Writes a model of texts with its tokenizer into a directory, and returns the directory. */
export function writeTextModel(directory: string, model: TextModel): string {
  const { words, dimensions, valueAt, maxTokens = 16, pooling, hasSentence = false, rows } = model
  const tokens = [...SPECIAL, ...words]
  const height = rows ?? tokens.length
  const table = Float32Array.from({ length: height * dimensions }, (_, at) =>
    valueAt(Math.floor(at / dimensions), at % dimensions),
  )
  const hidden = { name: 'last_hidden_state', type: FLOAT, shape: ['batch', 'tokens', dimensions] }
  const sentence = { name: 'sentence_embedding', type: FLOAT, shape: ['batch', dimensions] }
  const graph = encodeModel({
    nodes: [
      encodeNode('Gather', ['table', 'input_ids'], ['last_hidden_state']),
      ...(hasSentence
        ? [encodeNode('ReduceSum', ['last_hidden_state', 'axis'], ['sentence_embedding'], { keepdims: 0 })]
        : []),
    ],
    constants: [
      encodeTensor('table', [height, dimensions], table),
      ...(hasSentence ? [encodeTensor('axis', [1], BigInt64Array.of(1n))] : []),
    ],
    inputs: [
      { name: 'input_ids', type: INT64, shape: ['batch', 'tokens'] },
      { name: 'attention_mask', type: INT64, shape: ['batch', 'tokens'] },
    ],
    outputs: hasSentence ? [hidden, sentence] : [hidden],
  })
  write(directory, 'model.onnx', graph)
  write(directory, 'tokenizer.json', renderTokenizer(tokens))
  write(directory, 'tokenizer_config.json', { model_max_length: maxTokens, pad_token: '[PAD]' })
  if (pooling) write(join(directory, '1_Pooling'), 'config.json', pooling)
  return directory
}

/** Writes a model of images that answers the mean of each channel of what it is fed. */
export function writeImageModel(directory: string, preprocessor: object): string {
  const graph = encodeModel({
    nodes: [encodeNode('ReduceMean', ['pixel_values'], ['image_embeds'], { axes: [2, 3], keepdims: 0 })],
    constants: [],
    inputs: [{ name: 'pixel_values', type: FLOAT, shape: ['batch', 3, 'height', 'width'] }],
    outputs: [{ name: 'image_embeds', type: FLOAT, shape: ['batch', 3] }],
  })
  write(directory, 'model.onnx', graph)
  write(directory, 'preprocessor_config.json', preprocessor)
  return directory
}

function write(directory: string, file: string, content: Bytes | object): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(
    join(directory, file),
    content instanceof Uint8Array ? content : `${JSON.stringify(content, null, 2)}\n`,
  )
}

function renderTokenizer(tokens: readonly string[]): object {
  const special = (id: number) => ({ id: tokens[id]!, ids: [id], tokens: [tokens[id]!] })
  const template = [
    { SpecialToken: { id: '[CLS]', type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '[SEP]', type_id: 0 } },
  ]
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content, id) => ({ id, content, special: true, single_word: false })),
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: {
      type: 'TemplateProcessing',
      single: template,
      pair: [...template, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '[CLS]': special(1), '[SEP]': special(2) },
    },
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    },
  }
}

type Graph = {
  readonly nodes: readonly Bytes[]
  readonly constants: readonly Bytes[]
  readonly inputs: readonly TensorFacts[]
  readonly outputs: readonly TensorFacts[]
}

function encodeModel({ nodes, constants, inputs, outputs }: Graph): Bytes {
  const graph = [
    ...nodes.map((node) => bytes(1, node)),
    bytes(2, text('graph')),
    ...constants.map((constant) => bytes(5, constant)),
    ...inputs.map((input) => bytes(11, encodeFacts(input))),
    ...outputs.map((output) => bytes(12, encodeFacts(output))),
  ]
  const opset = Buffer.concat([bytes(1, text('')), integer(2, 17)])
  return Buffer.concat([integer(1, 8), bytes(7, Buffer.concat(graph)), bytes(8, opset)])
}

function encodeNode(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, number | readonly number[]>> = {},
): Bytes {
  return Buffer.concat([
    ...inputs.map((name) => bytes(1, text(name))),
    ...outputs.map((name) => bytes(2, text(name))),
    bytes(4, text(operator)),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, encodeAttribute(name, value))),
  ])
}

function encodeAttribute(name: string, value: number | readonly number[]): Bytes {
  const isList = typeof value !== 'number'
  const values = isList ? value.map((entry) => integer(8, entry)) : [integer(3, value)]
  return Buffer.concat([bytes(1, text(name)), ...values, integer(20, isList ? 7 : 2)])
}

function encodeTensor(name: string, shape: readonly number[], values: Float32Array | BigInt64Array): Bytes {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const type = values instanceof Float32Array ? FLOAT : INT64
  return Buffer.concat([
    ...shape.map((length) => integer(1, length)),
    integer(2, type),
    bytes(8, text(name)),
    bytes(9, raw),
  ])
}

function encodeFacts({ name, type, shape }: TensorFacts): Bytes {
  const lengths = shape.map((length) =>
    bytes(1, typeof length === 'number' ? integer(1, length) : bytes(2, text(length))),
  )
  const tensor = Buffer.concat([integer(1, type), bytes(2, Buffer.concat(lengths))])
  return Buffer.concat([bytes(1, text(name)), bytes(2, bytes(1, tensor))])
}

function bytes(field: number, value: Bytes): Bytes {
  return Buffer.concat([varint((field << 3) | 2), varint(value.length), value])
}

function integer(field: number, value: number): Bytes {
  return Buffer.concat([varint(field << 3), varint(value)])
}

function varint(value: number): Bytes {
  const parts: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...parts, rest])
    parts.push((rest % 128) | 128)
  }
}

function text(value: string): Bytes {
  return Buffer.from(value)
}
