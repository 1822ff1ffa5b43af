import { fileURLToPath } from 'node:url'

/** The project's root directory, with a trailing slash. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A file of the reference data that lies beside the project. */
export function sharedPath(path: string): string {
  return fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url))
}
