import { LongshoreError } from '../domain/errors.ts'
import type { GenerationRef } from '../domain/generation.ts'
import { computeContentDigest } from '../domain/manifest.ts'
import type { FleetContext } from './context.ts'

/** The digest of what is inside a generation; null when the operator's machine no longer has it whole. */
export async function readContentDigest(
  context: FleetContext,
  { name, digest }: GenerationRef,
): Promise<string | null> {
  try {
    const manifest = await context.generations.read(name)
    return manifest.digest === digest ? computeContentDigest(manifest) : null
  } catch (error) {
    if (error instanceof LongshoreError) return null
    throw error
  }
}
