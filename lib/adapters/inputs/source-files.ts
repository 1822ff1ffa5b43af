import { statSync } from 'node:fs'
import type { Input } from '../../ports/input.ts'

/** How an input may be narrowed down. */
export type InputOptions = {
  /** The generation to read where a directory of reference inputs holds several, for example `dg1`. */
  readonly select?: string
}

/** Path, size and time of change of the files that an input consists of. */
export function observeFiles(paths: readonly string[]): Input['files'] {
  return paths.map((path) => {
    const { size, mtimeMs } = statSync(path)
    return { path, bytes: size, modifiedMs: mtimeMs }
  })
}
