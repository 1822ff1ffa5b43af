import type { Surroundings } from '../../ports/surroundings.ts'

/** Nodes of the engine `local` are directories of this machine: all there is to know of them is observed. */
export function createLocalSurroundings(): Surroundings {
  return { examine: async () => ({ findings: [], silent: [] }) }
}
