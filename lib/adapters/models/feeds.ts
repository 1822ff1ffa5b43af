import { Tensor, type TypedTensor } from 'onnxruntime-node'
import { LongshoreError } from '../../domain/errors.ts'
import type { Size } from './preprocessor.ts'

export type Feeds = Record<string, Tensor>

/** An input as the graph describes it. */
export type InputMetadata = {
  readonly name: string
  readonly isTensor: boolean
  readonly type?: string
  readonly shape?: readonly (number | string)[]
}

/** Inputs that exporters of models of texts give a graph, and the number of each token there. */
const OF_TOKENS: Readonly<Record<string, (id: number, place: number, isOwn: boolean) => number>> = {
  input_ids: (id) => id,
  attention_mask: (_id, _place, isOwn) => (isOwn ? 1 : 0),
  token_type_ids: () => 0,
  position_ids: (_id, place) => place,
}

/** Makes the tensors of a batch of texts. Raises `usage` for a graph with inputs that are none of texts. */
export function createTokenFeeds(graph: string, inputs: readonly InputMetadata[], padding: number) {
  for (const { name, type } of inputs) {
    const isKnown = Object.hasOwn(OF_TOKENS, name) && (type === 'int64' || type === 'int32')
    if (isKnown) continue
    const known = Object.keys(OF_TOKENS).join(', ')
    throw fail(graph, `inputs among ${known}, of int64 or int32, found ${name} of ${type}`)
  }
  return (texts: readonly (readonly number[])[]): Feeds => {
    const width = Math.max(...texts.map((ids) => ids.length))
    const places = texts.flatMap((ids) =>
      Array.from({ length: width }, (_, place) => ({
        id: ids[place] ?? padding,
        place,
        isOwn: place < ids.length,
      })),
    )
    const feed = ({ name, type }: InputMetadata): [string, TypedTensor<'int32' | 'int64'>] => {
      const values = places.map(({ id, place, isOwn }) => OF_TOKENS[name]!(id, place, isOwn))
      const shape = [texts.length, width]
      return type === 'int32'
        ? [name, new Tensor('int32', Int32Array.from(values), shape)]
        : [name, new Tensor('int64', BigInt64Array.from(values, BigInt), shape)]
    }
    return Object.fromEntries(inputs.map(feed))
  }
}

/** Makes the tensor of a batch of images of one size. Raises `usage` for a graph with other inputs than one of images. */
export function createImageFeeds(
  graph: string,
  inputs: readonly InputMetadata[],
  { width, height }: Size,
  layout: 'channels-first' | 'channels-last',
) {
  const [input, ...others] = inputs
  if (!input || others.length > 0 || input.type !== 'float32' || input.shape?.length !== 4) {
    const found = inputs.map(({ name, type, shape }) => `${name} of ${type} [${shape}]`).join(', ')
    throw fail(graph, `one input of images, float32 with 4 dimensions, found ${found}`)
  }
  const shape = layout === 'channels-first' ? [3, height, width] : [height, width, 3]
  for (const [at, length] of shape.entries()) {
    const declared = input.shape[at + 1]
    if (typeof declared !== 'number' || declared === length) continue
    throw fail(
      graph,
      `images [${shape}] as preprocessor_config.json tells, found ${input.name} [${input.shape}]`,
    )
  }
  return (images: readonly Float32Array[]): Feeds => {
    const values = new Float32Array(images.length * width * height * 3)
    for (const [at, image] of images.entries()) values.set(image, at * image.length)
    return { [input.name]: new Tensor('float32', values, [images.length, ...shape]) }
  }
}

function fail(graph: string, expected: string): LongshoreError {
  return new LongshoreError('usage', `${graph}: expected ${expected}`)
}
