import sharp from 'sharp'
import { messageOf } from '../../domain/errors.ts'
import type { Preprocessing, Size } from './preprocessor.ts'
import { RefusedError } from './refused.ts'

/** Pixels of one image at most: what a small file of some kilobytes can hold would otherwise fill the memory. */
const MOST_PIXELS = 64 << 20
const CHANNELS = 3

/**
 * The numbers that a model takes for an image of any common format, [3, height, width] or [height, width, 3]. Raises
 * RefusedError for bytes that are none, and for an image that has another size than `size` in the end.
 */
export async function readPixels(bytes: Uint8Array, how: Preprocessing, size: Size): Promise<Float32Array> {
  const { data, info } = await decode(bytes, how)
  if (info.width !== size.width || info.height !== size.height) {
    const expected = `${size.width} x ${size.height}`
    throw new RefusedError(`the image has ${info.width} x ${info.height} pixels, expected ${expected}`)
  }
  const values = new Float32Array(data.length)
  const pixels = size.width * size.height
  for (let channel = 0; channel < CHANNELS; channel++) {
    const source = how.channels === 'rgb' ? channel : CHANNELS - 1 - channel
    const mean = how.mean[channel]!
    const deviation = how.deviation[channel]!
    for (let pixel = 0; pixel < pixels; pixel++) {
      const at = how.layout === 'channels-first' ? channel * pixels + pixel : pixel * CHANNELS + channel
      values[at] = (data[pixel * CHANNELS + source]! * how.scale - mean) / deviation
    }
  }
  return values
}

async function decode(bytes: Uint8Array, { resize, crop, kernel }: Preprocessing) {
  const input = () => sharp(bytes, { limitInputPixels: MOST_PIXELS, failOn: 'error' })
  try {
    const original = await input().metadata()
    const image = input().toColourspace('srgb').removeAlpha()
    const scaled = resize ? scaleOf(original, resize) : original
    if (resize) image.resize({ ...scaled, fit: 'fill', kernel, fastShrinkOnLoad: false })
    if (crop && crop.width <= scaled.width && crop.height <= scaled.height) {
      const left = Math.floor((scaled.width - crop.width) / 2)
      const top = Math.floor((scaled.height - crop.height) / 2)
      image.extract({ left, top, ...crop })
    }
    return await image.raw().toBuffer({ resolveWithObject: true })
  } catch (error) {
    throw new RefusedError(`expected an image: ${messageOf(error)}`, { cause: error })
  }
}

/** The longer side is rounded down, as Hugging Face does. */
function scaleOf({ width, height }: Size, resize: NonNullable<Preprocessing['resize']>): Size {
  if ('width' in resize) return resize
  const ratio = resize.shortest / Math.min(width, height)
  const scale = (length: number) => Math.max(resize.shortest, Math.floor(length * ratio))
  return { width: scale(width), height: scale(height) }
}

/** A black image, as PNG. */
export async function drawBlank({ width, height }: Size): Promise<Uint8Array> {
  return await sharp({ create: { width, height, channels: CHANNELS, background: 'black' } })
    .png()
    .toBuffer()
}
