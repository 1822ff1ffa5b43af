import type { EmbeddingServerOptions } from '../lib/adapters/embed/create-server.ts'
import { LongshoreError } from '../lib/domain/errors.ts'
import { type GenerationRef, isGenerationName } from '../lib/domain/generation.ts'
import type { Model } from '../lib/domain/model.ts'
import { SERVICE_KINDS } from '../lib/domain/service.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What every service is told by its environment. */
export type Settings = {
  readonly service: (typeof KINDS)[number]
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Whether a port of its own answers beside one that several tasks share. */
  readonly hasAdminPort: boolean
  readonly node: string
  readonly task: string
  /** Directory of the generations that the node holds. */
  readonly dataDirectory: string
  readonly generations: readonly GenerationRef[]
  readonly timeoutMs: number
  /** Where traces go, and the share of queries that begin one; none where it is left out. */
  readonly traces?: { readonly url: string; readonly share: number }
  /** After SIGTERM: how long connections are still accepted, and how long open ones may take. */
  readonly lameDuckMs: number
  readonly graceMs: number
}

/** What fleets are made of, and what stands before model servers. */
const KINDS = [...SERVICE_KINDS, 'router'] as const

/** Settings from the environment. Raises `usage` naming the variable and what was expected. */
export function parseSettings(kind: string | undefined, env: Environment): Settings {
  const service = KINDS.find((name) => name === kind)
  if (!service) {
    throw new LongshoreError(
      'usage',
      `expected one of ${KINDS.join(', ')}, found ${JSON.stringify(kind ?? '')}`,
    )
  }
  return {
    service,
    host: env.HOST || '0.0.0.0',
    port: readNumber(env, 'PORT', 0),
    hasAdminPort: env.ADMIN === '1',
    node: env.NODE_NAME || 'local',
    task: env.TASK_ID || `${kind}-${process.pid}`,
    dataDirectory: env.DATA_DIR || '/data',
    generations: parseGenerations(env.GENERATIONS ?? ''),
    timeoutMs: readNumber(env, 'TIMEOUT_MS', 5_000),
    ...(env.TRACES && { traces: readJson(env, 'TRACES') as NonNullable<Settings['traces']> }),
    lameDuckMs: readNumber(env, 'LAME_DUCK_MS', 300),
    graceMs: readNumber(env, 'GRACE_MS', 8_000),
  }
}

/** A number that is not negative. Raises `usage`. */
export function readNumber(env: Environment, name: string, preset?: number): number {
  const text = env[name]
  if (!text && preset !== undefined) return preset
  const value = Number(text)
  if (!text || !Number.isFinite(value) || value < 0) {
    throw new LongshoreError(
      'usage',
      `${name}: expected a number from 0, found ${JSON.stringify(text ?? '')}`,
    )
  }
  return value
}

/** A model that a gateway may be asked to embed with, and the server that does where it is none of ours. */
export type ServedModel = Model & {
  /** Whether our own service embeds by an ONNX model, not by the built-in one. */
  readonly isOnnx?: boolean
  readonly server?: {
    readonly url?: string
    readonly protocol: EmbeddingServerOptions['extraction']['protocol']
    readonly serverModel?: string
    readonly input?: string
    readonly output?: string
  }
}

/** The models of the profile, in a variable; none when it is not set. Raises `usage`. */
export function readServedModels(env: Environment): ServedModel[] {
  return (readJson(env, 'MODELS') as ServedModel[] | undefined) ?? []
}

/** The model in a variable, or undefined when it is not set. Raises `usage`. */
export function readModel(env: Environment): Model | undefined {
  return readJson(env, 'MODEL') as Model | undefined
}

function readJson(env: Environment, name: string): unknown {
  const text = env[name]
  if (!text) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new LongshoreError('usage', `${name}: expected JSON`, { cause: error })
  }
}

function parseGenerations(text: string): GenerationRef[] {
  const entries = text.split(',').filter(Boolean)
  return entries.map((entry) => {
    const [name = '', digest = ''] = entry.split('@')
    if (!isGenerationName(name) || !/^sha256:[0-9a-f]{64}$/.test(digest)) {
      throw new LongshoreError('usage', `GENERATIONS: expected dg_N@sha256:<64 digits>, found "${entry}"`)
    }
    return { name, digest }
  })
}
