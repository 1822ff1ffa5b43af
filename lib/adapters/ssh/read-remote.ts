import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { FileEntry } from '../../domain/manifest.ts'
import { allowMs, type Place, runScript } from './run-script.ts'
import { CODES, READ_RANGE } from './scripts.ts'

// Two of them are in memory at a time: one on its way here, one on its way on.
const RANGE_BYTES = 8 * 2 ** 20

/** A node could not give what it was asked for: another one may. */
export class SourceProblem extends Error {
  override readonly name = 'SourceProblem'
}

/** The bytes of a file of a generation that a node holds in `directory`. Raises {@link SourceProblem}. */
export async function* readRemote(
  place: Place,
  directory: string,
  { path, bytes }: FileEntry,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const stop = new AbortController()
  const ended = AbortSignal.any([signal, stop.signal])
  const readAt = (offset: number) =>
    readRange(place, `${directory}/${path}`, { offset, bytes, signal: ended })
  let next = readAt(0)
  try {
    for (let offset = 0; offset < bytes; ) {
      const blocks = await next
      offset += RANGE_BYTES
      if (offset < bytes) next = readAt(offset)
      yield* blocks
    }
  } finally {
    stop.abort()
    await Promise.allSettled([next])
  }
}

type Range = { readonly offset: number; readonly bytes: number; readonly signal: AbortSignal }

async function readRange(
  place: Place,
  path: string,
  { offset, bytes, signal }: Range,
): Promise<Uint8Array[]> {
  const wanted = Math.min(RANGE_BYTES, bytes - offset)
  if (wanted <= 0) return []
  const blocks: Uint8Array[] = []
  const args = [path, String(offset), String(wanted)]
  const options = {
    signal,
    codes: [CODES.missing],
    timeoutMs: allowMs(place, wanted),
    onStdout: (block: Uint8Array) => void blocks.push(block),
  }
  const { code } = await runScript(place, READ_RANGE, args, options).catch((error: unknown) => {
    if (!(error instanceof LongshoreError) || signal.aborted) throw error
    throw new SourceProblem(messageOf(error), { cause: error })
  })
  const found = blocks.reduce((sum, block) => sum + block.length, 0)
  if (code === CODES.missing) throw new SourceProblem(`${place.node} does not have ${path}`)
  if (found !== wanted) throw new SourceProblem(`${path} on ${place.node} is not as long as it must be`)
  return blocks
}
