import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { Model } from '../../domain/model.ts'

export const MODEL_FILE = 'model.onnx'
const TOKENIZER_FILE = 'tokenizer.json'
const PREPROCESSOR_FILE = 'preprocessor_config.json'

export type JsonObject = Readonly<Record<string, unknown>>

/** A JSON file of a model, and where it was read. */
export type ModelJson = { readonly path: string; readonly content: JsonObject }

/** The files of one version of a model: what it takes decides which of them there must be. */
export type ModelFiles = {
  readonly directory: string
  readonly graph: string
  /** `config.json`; empty where there is none. */
  readonly config: JsonObject
} & (
  | {
      readonly takes: 'text'
      readonly tokenizer: ModelJson
      /** `tokenizer_config.json`; empty where there is none. */
      readonly tokenizerConfig: JsonObject
      /** `1_Pooling/config.json`; empty where there is none. */
      readonly pooling: JsonObject
    }
  | { readonly takes: 'image'; readonly preprocessor: ModelJson }
)

/**
 * The directory of a model in a repository: `root` itself where it holds model.onnx, else `root/VERSION` or
 * `root/NAME/VERSION`. Raises `not-found` naming every place that was looked at.
 */
export function findModelDirectory(root: string, { name, version }: Pick<Model, 'name' | 'version'>): string {
  const places = [root, join(root, version), join(root, name, version)]
  const found = places.find((place) => existsSync(join(place, MODEL_FILE)))
  if (found !== undefined) return found
  const looked = places.map((place) => join(place, MODEL_FILE)).join(', ')
  throw new LongshoreError('not-found', `there is no model ${name}@${version}: expected one of ${looked}`, {
    hint: 'extraction.onnx in the profile names the directory of model.onnx, or a repository NAME/VERSION/model.onnx',
  })
}

/** What stands in the directory of a model. Raises `usage` naming the file that is missing or wrong, and what was expected. */
export async function readModelFiles(directory: string): Promise<ModelFiles> {
  const files = new Set(await readdir(directory))
  const optional = async (file: string) =>
    existsSync(join(directory, file)) ? (await readJson(directory, file)).content : {}
  const common = { directory, graph: join(directory, MODEL_FILE), config: await optional('config.json') }
  const isText = files.has(TOKENIZER_FILE)
  if (isText === files.has(PREPROCESSOR_FILE)) {
    const found = isText ? 'both' : 'neither'
    throw new LongshoreError(
      'usage',
      `${directory}: expected ${TOKENIZER_FILE} of a model of texts or ${PREPROCESSOR_FILE} of a model of images, found ${found}`,
    )
  }
  if (!isText)
    return { ...common, takes: 'image', preprocessor: await readJson(directory, PREPROCESSOR_FILE) }
  return {
    ...common,
    takes: 'text',
    tokenizer: await readJson(directory, TOKENIZER_FILE),
    tokenizerConfig: await optional('tokenizer_config.json'),
    pooling: await optional('1_Pooling/config.json'),
  }
}

async function readJson(directory: string, file: string): Promise<ModelJson> {
  const path = join(directory, file)
  try {
    const content: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (isObject(content)) return { path, content }
  } catch (error) {
    throw new LongshoreError('usage', `${path}: expected JSON: ${messageOf(error)}`, { cause: error })
  }
  throw new LongshoreError('usage', `${path}: expected a JSON object`)
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
