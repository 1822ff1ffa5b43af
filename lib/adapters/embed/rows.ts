import { messageOf } from '../../domain/errors.ts'
import { noAnswer, type Shape, wrongValues } from './wire.ts'

/**
 * The value of a JSON text. Raises WrongAnswerError: for values that are not finite, which TensorFlow Serving writes as
 * bare NaN and Infinity, and for what is no JSON. Its numbers like `9e-07.0` are read as they are meant.
 */
export function parseJson(body: Buffer): unknown {
  const text = body.toString('utf8')
  try {
    return JSON.parse(text)
  } catch (error) {
    if (/[[,:]\s*-?(NaN|Infinity)\b/.test(text)) throw wrongValues('answered values that are not finite')
    const mended = text.replaceAll(/(\d[eE][+-]?\d+)\.0\b/g, '$1')
    if (mended !== text) return parseJson(Buffer.from(mended))
    throw noAnswer(`answered no JSON (${messageOf(error)})`, error)
  }
}

/** Rows [count][dimensions], lists of numbers or packed ones, as one array. Raises WrongAnswerError. */
export function joinRows(rows: readonly unknown[], { count, dimensions }: Shape): Float32Array {
  if (rows.length !== count) throw wrongValues(`answered ${rows.length} embeddings, expected ${count}`)
  const values = new Float32Array(count * dimensions)
  for (const [index, row] of rows.entries()) {
    const isPacked = row instanceof Float32Array
    if (!isPacked && !Array.isArray(row)) throw noAnswer(`embedding ${index} is no list of numbers`)
    if (row.length !== dimensions) {
      throw wrongValues(`embedding ${index} has ${row.length} dimensions, expected ${dimensions}`)
    }
    if (isPacked) values.set(row, index * dimensions)
    else copyNumbers(row, values, index * dimensions, dimensions)
  }
  return values
}

/** Numbers [count * dimensions] of a flat or nested list as one array. Raises WrongAnswerError. */
export function joinFlat(list: readonly unknown[], shape: Shape): Float32Array {
  if (Array.isArray(list[0])) return joinRows(list, shape)
  const { count, dimensions } = shape
  if (list.length !== count * dimensions) {
    throw wrongValues(`answered ${list.length} values, expected ${count} x ${dimensions}`)
  }
  const values = new Float32Array(list.length)
  copyNumbers(list, values, 0, dimensions)
  return values
}

/** The little-endian float32 values of an answer, which may stand anywhere in its bytes. */
export function readFloats(bytes: Buffer): Float32Array {
  const values = new Float32Array(Math.floor(bytes.length / 4))
  Buffer.from(values.buffer).set(bytes.subarray(0, values.byteLength))
  return values
}

/** Raises WrongAnswerError where a value is none: it must never be stored. */
export function checkFinite(values: Float32Array, { dimensions }: Shape): void {
  // The sum of values that are all finite is so too, but for numbers near the end of float64, and float32 has none.
  let sum = 0
  for (let at = 0; at < values.length; at++) sum += values[at]!
  if (Number.isFinite(sum)) return
  const wrong = values.findIndex((value) => !Number.isFinite(value))
  throw wrongValues(
    `embedding ${Math.floor(wrong / dimensions)}, dimension ${wrong % dimensions}: expected a finite number`,
  )
}

function copyNumbers(list: readonly unknown[], values: Float32Array, from: number, dimensions: number): void {
  for (let at = 0; at < list.length; at++) {
    const value = list[at]
    if (typeof value !== 'number') {
      const place = from + at
      throw wrongValues(
        `embedding ${Math.floor(place / dimensions)}, dimension ${place % dimensions}: expected a finite number`,
      )
    }
    values[from + at] = value
  }
}
