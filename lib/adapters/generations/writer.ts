import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DraftSpec, GenerationWriter } from '../../ports/generation-writer.ts'
import { adoptGeneration } from './adopt.ts'
import { explainDiskError } from './disk-error.ts'
import { Draft } from './draft.ts'
import { checkSpace, partialName, removeStale } from './partial.ts'
import { Workers } from './workers.ts'
import { writeBridge } from './write-bridge.ts'

/** Makes generations below one directory. */
export function createGenerationWriter(root: string): GenerationWriter {
  let running: Workers | undefined
  const wake = (): Workers => {
    if (!running || running.isStopped) running = new Workers()
    return running
  }
  return {
    wake,
    async train(sample, { clusters, seed, model }, signal) {
      const { dimensions, metric } = model
      const job = { sample, clusters, seed, dimensions, metric }
      return wake().use(signal, ([thread]) => thread.call('train', job, [sample.buffer]))
    },
    async begin(spec: DraftSpec) {
      await removeStale(root)
      await checkSpace(root, spec.expectedBytes)
      const directory = join(root, partialName(spec.generation))
      try {
        await mkdir(directory)
        return new Draft({ ...spec, root, directory, workers: wake() })
      } catch (error) {
        throw explainDiskError(error)
      }
    },
    adopt: (manifest, directory, carried) => adoptGeneration(root, { manifest, directory }, carried),
    writeBridge: (spec) => writeBridge(root, spec),
  }
}
