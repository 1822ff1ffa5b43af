import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DraftSpec, GenerationWriter } from '../../ports/generation-writer.ts'
import { explainDiskError } from './disk-error.ts'
import { Draft } from './draft.ts'
import { checkSpace, partialName, removeStale } from './partial.ts'
import { startThread } from './thread.ts'
import type { TrainHandlers } from './train-worker.ts'

/** Makes generations below one directory. */
export function createGenerationWriter(root: string): GenerationWriter {
  return {
    async train(sample, { clusters, seed, model }, signal) {
      const thread = startThread<TrainHandlers>(new URL('./train-worker.ts', import.meta.url))
      const stop = () => thread.stop()
      signal.addEventListener('abort', stop)
      try {
        const { dimensions, metric } = model
        return await thread.call('train', { sample, clusters, seed, dimensions, metric }, [sample.buffer])
      } finally {
        signal.removeEventListener('abort', stop)
        await thread.stop()
      }
    },
    async begin(spec: DraftSpec) {
      await removeStale(root)
      await checkSpace(root, spec.expectedBytes)
      const directory = join(root, partialName(spec.generation))
      try {
        await mkdir(directory)
        return new Draft({ ...spec, root, directory })
      } catch (error) {
        throw explainDiskError(error)
      }
    },
  }
}
