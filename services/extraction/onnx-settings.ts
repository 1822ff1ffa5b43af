import { availableParallelism } from 'node:os'
import type { OnnxOptions } from '../../lib/adapters/models/onnx-model.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import type { Model } from '../../lib/domain/model.ts'
import { type Environment, readNumber } from '../settings.ts'

export type OnnxSettings = OnnxOptions & {
  /** How long a request waits for others to be run with. */
  readonly waitMs: number
  /** Contents that may wait at a time. */
  readonly limit: number
}

const DEVICES: readonly string[] = ['auto', 'cpu', 'gpu'] satisfies OnnxOptions['device'][]

/** What is served of the directory in MODEL_DIR, or undefined where the built-in model is. Raises `usage`. */
export function readOnnxSettings(env: Environment, model: Model): OnnxSettings | undefined {
  const { MODEL_DIR: root, DEVICE: device = 'auto' } = env
  if (!root) return undefined
  if (!DEVICES.includes(device)) {
    throw new LongshoreError('usage', `DEVICE: expected ${DEVICES.join(', ')}, found "${device}"`)
  }
  return {
    ...{ root, model },
    device: device as OnnxOptions['device'],
    output: env.MODEL_OUTPUT || undefined,
    threads: readNumber(env, 'THREADS', availableParallelism()),
    mostItems: Math.max(1, readNumber(env, 'BATCH_ITEMS', 32)),
    waitMs: readNumber(env, 'BATCH_WAIT_MS', 2),
    limit: readNumber(env, 'WAITING_ITEMS', 1024),
  }
}
