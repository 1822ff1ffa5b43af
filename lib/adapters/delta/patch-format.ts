import { LongshoreError } from '../../domain/errors.ts'

export const PATCH_FORMAT = 'longshore-patch/1'

/** The first line of a patch, as JSON: what it makes from what, both by digest. */
export type PatchHeader = {
  readonly format: typeof PATCH_FORMAT
  readonly base: string
  readonly generation: string
}

/** Longest first line. */
export const HEADER_MOST = 512
/** Bytes of the SHA-256 of all that stands before it, at the end. */
export const TRAILER_BYTES = 32
/** Bytes that are compressed together, at most; a reader holds one such block. */
export const BLOCK_BYTES = 1024 * 1024
/** Two uint32, little endian, before each block: its bytes, and its bytes as they are stored; equal if not compressed. */
export const BLOCK_HEADER_BYTES = 8
/** Longest start of a file of rows that is no row. */
export const PREFIX_MOST = 4096
/** Longest row that runs are counted in. */
export const UNIT_MOST = 1024 * 1024

/** What the body of a patch says first of each file: how it comes about. */
export const WAY_CODES = { copy: 0, rows: 1, bytes: 2, derived: 3 } as const

/** `corrupt` of a patch that is not what it must be. */
export function patchError(path: string, problem: string): LongshoreError {
  return new LongshoreError('corrupt', `${path}: ${problem}`, {
    hint: 'deliver the generation again; without a patch its files are sent whole',
  })
}

/** The header in the first line of a patch. Raises `corrupt`. */
export function parseHeader(line: string, path: string): PatchHeader {
  let header: PatchHeader
  try {
    header = JSON.parse(line) as PatchHeader
  } catch (error) {
    throw patchError(path, `is no patch: its first line is no JSON (${(error as Error).message})`)
  }
  if (header?.format !== PATCH_FORMAT) {
    throw patchError(path, `format is ${JSON.stringify(header?.format)}, expected "${PATCH_FORMAT}"`)
  }
  for (const key of ['base', 'generation'] as const) {
    if (typeof header[key] !== 'string') throw patchError(path, `${key}: expected the digest of a generation`)
  }
  return header
}
