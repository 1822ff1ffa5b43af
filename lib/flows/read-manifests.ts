import { LongshoreError } from '../domain/errors.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { Context } from './context.ts'

/** The manifests of generations whose names come oldest first, from the newest on; one that cannot be read is told of and left out. */
export async function* readManifests(
  { generations, reporter }: Pick<Context, 'generations' | 'reporter'>,
  names: readonly string[],
): AsyncGenerator<Manifest> {
  for (const name of [...names].reverse()) {
    try {
      yield await generations.read(name)
    } catch (error) {
      if (!(error instanceof LongshoreError)) throw error
      reporter.note(`${name} is left out of comparisons: ${error.message}`)
    }
  }
}
