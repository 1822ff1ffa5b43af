import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { sign } from './make-kinds.ts'
import { type Memory, useService } from './memory-service.ts'

export const MEMORY_LEGEND = `MiB of the process. RSS counts a page of a file once for each thread that has it mapped; page cache is the share of the
process: a page that others have mapped too counts in parts, and all are given back when memory is short. Only anonymous
memory and page tables belong to the process. A graph takes 70 to 100 bytes of anonymous memory for each item and thread,
where usearch notes the places of its nodes, while its generation is asked: both asked is what a switch takes meanwhile, and
one at rest is what is left after it. First query is what the first one waits for that asks the generation at rest.`

export type Residence = {
  readonly one: Memory
  /** Both asked within a second. */
  readonly both: Memory
  /** After the time in which the first was not asked any more. */
  readonly rest: Memory
  /** How long the first query took that asked it again. */
  readonly firstMs: number
}

/** Memory of an index service that has searched in one generation, and in two with files of their own. */
export async function compareGenerations(
  directory: string,
  manifest: Manifest,
  queries: Float32Array,
): Promise<Residence> {
  const second = copyGeneration(directory, manifest)
  const one = await useService(directory, [manifest], async (service) => {
    await service.ask([manifest], queries)
    return service.readMemory()
  })
  return await useService(directory, [manifest, second], async (service) => {
    await service.ask([manifest, second], queries)
    const both = service.readMemory()
    await service.waitForRest(manifest)
    const rest = service.readMemory()
    const started = performance.now()
    await service.search(manifest, queries.subarray(0, manifest.model.dimensions))
    return { one, both, rest, firstMs: Math.round(performance.now() - started) }
  })
}

function copyGeneration(directory: string, manifest: Manifest): Manifest {
  const { digest: _digest, ...unsigned } = { ...manifest, generation: `${manifest.generation}0` }
  for (const { path, bytes } of manifest.files) {
    if (bytes === 0) continue
    const target = join(directory, unsigned.generation, path)
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(join(directory, manifest.generation, path), target)
  }
  return sign(directory, unsigned)
}
