import { LongshoreError } from '../../domain/errors.ts'
import { isObject, type JsonObject, type ModelJson } from './repository.ts'

export type Size = { readonly width: number; readonly height: number }

/** How an image becomes numbers: in this order where a step is not left out. */
export type Preprocessing = {
  /** To a size, or the shorter side to a length. */
  readonly resize: Size | { readonly shortest: number } | undefined
  readonly kernel: 'nearest' | 'lanczos3' | 'linear' | 'cubic'
  /** What is kept of the middle. */
  readonly crop: Size | undefined
  /** Bytes are multiplied by it. */
  readonly scale: number
  /** By channel: (value - mean) / deviation. */
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
  readonly channels: 'rgb' | 'bgr'
  readonly layout: 'channels-first' | 'channels-last'
}

/** By the numbers of PIL. */
const KERNELS: Readonly<Record<number, Preprocessing['kernel']>> = {
  0: 'nearest',
  1: 'lanczos3',
  2: 'linear',
  3: 'cubic',
}
const BYTE = 1 / 255

/** What `preprocessor_config.json` says, as Hugging Face's image processors write it. Raises `usage` naming the key. */
export function parsePreprocessor({ path, content }: ModelJson): Preprocessing {
  const read = readKeys(path, content)
  const isNormalized = content.do_normalize !== false
  return {
    resize: content.do_resize === false ? undefined : read.size('size'),
    kernel: KERNELS[read.number('resample', 2)] ?? read.fail('resample', 'a number from 0 to 3'),
    crop: content.do_center_crop === true ? read.box('crop_size') : undefined,
    scale: content.do_rescale === false ? 1 : read.number('rescale_factor', BYTE),
    mean: isNormalized ? read.channels('image_mean') : [0, 0, 0],
    deviation: isNormalized ? read.channels('image_std') : [1, 1, 1],
    channels: content.do_flip_channel_order === true ? 'bgr' : 'rgb',
    layout: content.data_format === 'channels_last' ? 'channels-last' : 'channels-first',
  }
}

/** The size of what comes out; undefined where it follows that of each image, which no batch allows. */
export function outputSizeOf({ resize, crop }: Pick<Preprocessing, 'resize' | 'crop'>): Size | undefined {
  if (crop) return crop
  return resize && 'width' in resize ? resize : undefined
}

function readKeys(path: string, content: JsonObject) {
  const fail = (key: string, expected: string): never => {
    const found = JSON.stringify(content[key]) ?? 'nothing'
    throw new LongshoreError('usage', `${path}: ${key}: expected ${expected}, found ${found}`)
  }
  const box = (key: string): Size => {
    const value = content[key]
    if (isLength(value)) return { width: value, height: value }
    if (isObject(value) && isLength(value.width) && isLength(value.height)) {
      return { width: value.width, height: value.height }
    }
    return fail(key, 'a length or {"height", "width"}')
  }
  return {
    fail,
    box,
    size(key: string): Preprocessing['resize'] {
      const value = content[key]
      if (isObject(value) && isLength(value.shortest_edge)) return { shortest: value.shortest_edge }
      return box(key)
    },
    number(key: string, preset: number): number {
      const value = content[key] ?? preset
      return typeof value === 'number' && Number.isFinite(value) ? value : fail(key, 'a number')
    },
    channels(key: string): number[] {
      const value = content[key]
      const isTriple = Array.isArray(value) && value.length === 3 && value.every(Number.isFinite)
      return isTriple ? (value as number[]) : fail(key, 'three numbers')
    },
  }
}

function isLength(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0
}
