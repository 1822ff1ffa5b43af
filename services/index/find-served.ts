import type { Manifest } from '../../lib/domain/manifest.ts'
import { HttpError } from '../http/http-error.ts'

/** The manifest of a generation that is resident. Raises HttpError 409 `generation_not_served`. */
export function findServed(manifests: readonly Manifest[], generation: string): Manifest {
  const found = manifests.find((manifest) => manifest.generation === generation)
  if (found) return found
  const names = manifests.map((manifest) => manifest.generation).join(', ')
  throw new HttpError(409, 'generation_not_served', `${generation} is not served here, only ${names}`)
}
