import { startThread } from '../../lib/adapters/generations/thread.ts'
import type { Job } from '../../lib/adapters/models/codec.ts'
import type { ModelHandlers } from '../../lib/adapters/models/model-thread.ts'
import type { Outcome } from '../../lib/adapters/models/onnx-model.ts'
import { findModelDirectory, readModelFiles } from '../../lib/adapters/models/repository.ts'
import { badRequest, HttpError } from '../http/http-error.ts'
import type { Log } from '../http/log.ts'
import { endWithThread } from '../index/thread-lost.ts'
import { createBatcher } from './batcher.ts'
import type { Embedding } from './embedding.ts'
import type { OnnxSettings } from './onnx-settings.ts'

const THREAD = new URL('../../lib/adapters/models/model-thread.ts', import.meta.url)

export type OnnxEmbedding = Embedding & {
  /** Resolves once the model is loaded and has embedded something. Raises what opening it does. */
  readonly loaded: Promise<void>
  /** Ends its thread. */
  close(): Promise<void>
}

/**
 * An ONNX model in a thread of its own, which runs the contents of several requests together. Raises `not-found` and `usage` for what
 * can be told of its files before it is loaded.
 */
export async function createOnnxEmbedding(settings: OnnxSettings, log: Log): Promise<OnnxEmbedding> {
  const { waitMs, limit, ...options } = settings
  const { takes, directory } = await readModelFiles(findModelDirectory(options.root, options.model))
  const thread = startThread<ModelHandlers>(THREAD, endWithThread)
  let device: 'cpu' | 'gpu' | undefined
  const batcher = createBatcher<Job, Outcome>({
    run: (jobs) => thread.call('embed', jobs),
    ...{ most: options.mostItems, waitMs, limit },
  })
  const load = async () => {
    const opened = await thread.call('open', options)
    device = opened.device
    log('loaded', { directory, device, note: opened.note })
  }
  return {
    takes,
    loaded: load(),
    close: () => thread.stop(),
    problem: () => (device === undefined ? 'the model is being loaded' : undefined),
    status: () => ({ device, waiting: batcher.size() }),
    async embed(values, mayCut) {
      if (values.length > limit) {
        throw new HttpError(413, 'too_large', `expected ${limit} contents at most, found ${values.length}`)
      }
      const outcomes = batcher.add(values.map((value) => ({ value, mayCut })))
      if (!outcomes) throw new HttpError(503, 'overloaded', `${limit} contents wait already`)
      return (await outcomes).map(takeEmbedding)
    },
  }
}

function takeEmbedding(outcome: Outcome, index: number): Float32Array {
  if (outcome instanceof Float32Array) return outcome
  if ('refused' in outcome) throw badRequest(`content ${index}: ${outcome.refused}`)
  throw new HttpError(500, 'internal', `content ${index}: ${outcome.failed}`)
}
