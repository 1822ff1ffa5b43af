import type { Model } from '../../lib/domain/model.ts'
import type { Log } from '../http/log.ts'
import type { Environment } from '../settings.ts'
import { createBuiltinEmbedding } from './builtin-embedding.ts'
import { DeepdetectError } from './deepdetect-answers.ts'
import type { ServiceRequest } from './deepdetect-request.ts'
import { createServiceStats, type ServiceStats } from './deepdetect-stats.ts'
import type { Embedding } from './embedding.ts'
import type { Served } from './model-routes.ts'
import { readOnnxSettings } from './onnx-settings.ts'

/** The library of the model that ships with Longshore. */
export const LEXICAL = 'lexical'
const ONNX = 'onnx'

/** A service of DeepDetect's API: what it was created with, what embeds for it, and its counts. */
export type DeepdetectService = {
  readonly name: string
  readonly request: ServiceRequest
  readonly embedding: Embedding
  readonly stats: ServiceStats
  /** Gives back what the service holds; does nothing for the model that the process was started with. */
  close(): Promise<void>
}

/** The service of the model that the process was started with. */
export function createOwnService(
  { model, embedding }: Served,
  { MODEL_DIR = '' }: Environment,
): DeepdetectService {
  return {
    name: model.name.toLowerCase(),
    request: {
      mllib: MODEL_DIR === '' ? LEXICAL : ONNX,
      description: `${model.name}@${model.version}`,
      type: 'supervised',
      repository: MODEL_DIR,
      createsRepository: false,
      parameters: {
        input: { connector: embedding.takes === 'text' ? 'txt' : 'image' },
        mllib: { dimensions: model.dimensions },
        output: {},
      },
    },
    embedding,
    stats: createServiceStats(),
    close: async () => undefined,
  }
}

export type LoadOptions = {
  /** The model that the process was started with: its dimensions count where a creation names none. */
  readonly model: Model
  readonly env: Environment
  readonly log: Log
}

/**
 * Loads what a creation asks for: the built-in model, `lexical`, with `parameters.mllib.dimensions` values, or the ONNX model of the
 * repository. Raises DeepdetectError: 1000 for another library, 1006 for a repository that holds no such model.
 */
export async function loadService(
  name: string,
  request: ServiceRequest,
  { model, env, log }: LoadOptions,
): Promise<DeepdetectService> {
  const { dimensions = model.dimensions } = request.parameters.mllib
  if (!Number.isInteger(dimensions) || Number(dimensions) < 1 || Number(dimensions) > 65_536) {
    throw new DeepdetectError(1006, 'parameters.mllib.dimensions: expected a whole number from 1 to 65536')
  }
  const base = { name, request, stats: createServiceStats() }
  if (request.mllib === LEXICAL) {
    return {
      ...base,
      embedding: createBuiltinEmbedding(Number(dimensions)),
      close: async () => undefined,
    }
  }
  if (request.mllib !== ONNX) throw new DeepdetectError(1000)
  const settings = readOnnxSettings(
    { ...env, MODEL_DIR: request.repository },
    { ...model, dimensions: Number(dimensions) },
  )!
  const { createOnnxEmbedding } = await import('./onnx-embedding.ts')
  try {
    const embedding = await createOnnxEmbedding(settings, log)
    await embedding.loaded
    return { ...base, embedding, close: embedding.close }
  } catch (error) {
    throw new DeepdetectError(1006, error instanceof Error ? error.message : String(error))
  }
}
