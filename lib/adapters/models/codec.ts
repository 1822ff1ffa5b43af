import type { InferenceSession } from 'onnxruntime-node'
import { LongshoreError } from '../../domain/errors.ts'
import { createImageFeeds, createTokenFeeds, type Feeds } from './feeds.ts'
import { outputSizeOf, parsePreprocessor } from './preprocessor.ts'
import { RefusedError } from './refused.ts'
import type { ModelFiles } from './repository.ts'

/** A text, or the bytes of an image. */
export type Value = string | Uint8Array

/** A content to embed, of whoever's request. */
export type Job = {
  readonly value: Value
  /** Whether a text that is too long is cut where the model's limit is. */
  readonly mayCut: boolean
}

/** What contents become before a graph takes them. */
export type Codec<Prepared> = {
  /** Raises RefusedError for what the model cannot take. */
  prepare(job: Job): Prepared | Promise<Prepared>
  feed(batch: readonly Prepared[]): Feeds
  /** Tokens of each of a batch; none for images. */
  countTokens(batch: readonly Prepared[]): number[]
  /** What is embedded before the first request, so that it waits for nothing. */
  readonly sample: Value
}

/** Reads the tokenizer of a model of texts. Raises `usage`. */
export async function createTextCodec(
  files: Extract<ModelFiles, { takes: 'text' }>,
  { inputMetadata }: InferenceSession,
): Promise<Codec<readonly number[]>> {
  const { createTextEncoder } = await import('./text-encoder.ts')
  const encoder = createTextEncoder(files)
  return {
    prepare({ value, mayCut }) {
      if (typeof value === 'string') return encoder.encode(value, mayCut)
      throw new RefusedError('expected a text')
    },
    feed: createTokenFeeds(files.graph, inputMetadata, encoder.padding),
    countTokens: (batch) => batch.map((ids) => ids.length),
    sample: 'warm-up',
  }
}

/** Reads how images are prepared for a model. Raises `usage`. */
export async function createImageCodec(
  files: Extract<ModelFiles, { takes: 'image' }>,
  { inputMetadata }: InferenceSession,
): Promise<Codec<Float32Array>> {
  const { drawBlank, readPixels } = await import('./image-pixels.ts')
  const { path } = files.preprocessor
  const how = parsePreprocessor(files.preprocessor)
  const size = outputSizeOf(how)
  if (!size) {
    throw new LongshoreError(
      'usage',
      `${path}: expected a size that is the same for all images: "size": {"height", "width"} or a "crop_size"`,
    )
  }
  return {
    prepare({ value }) {
      if (typeof value !== 'string') return readPixels(value, how, size)
      throw new RefusedError('expected an image')
    },
    feed: createImageFeeds(files.graph, inputMetadata, size, how.layout),
    countTokens: () => [],
    sample: await drawBlank(size),
  }
}
