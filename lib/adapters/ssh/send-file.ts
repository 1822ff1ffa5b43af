import { LongshoreError } from '../../domain/errors.ts'
import type { FileEntry } from '../../domain/manifest.ts'
import { allowMs, type Place, runScript } from './run-script.ts'
import { CODES, RECEIVE } from './scripts.ts'

/** The first bytes of a file, as an earlier attempt left them. */
export type Piece = { readonly bytes: number; readonly name: string }

export type Sending = {
  /** Directory on the node that the paths of entry and piece start at. */
  readonly directory: string
  readonly entry: FileEntry
  readonly piece: Piece | undefined
  readonly run: string
  /** What comes after the piece. */
  readonly contents: AsyncIterable<Uint8Array>
  readonly signal: AbortSignal
  /** Hears that all of it is on its way. */
  readonly onEnd?: () => void
  /** Hears of the last bytes once the node has the file whole on its disk. */
  readonly onBytes: (bytes: number) => void
}

/**
 * Puts one file on a node: on disk, read back and as its entry says. Raises `corrupt` when it arrives otherwise,
 * `remote` when the node takes nothing any more.
 */
export async function sendFile(place: Place, sending: Sending): Promise<void> {
  const { directory, entry, piece, run, onBytes } = sending
  const target = `${directory}/${entry.path}`
  const known = piece ? [String(piece.bytes), `${directory}/${piece.name}`] : ['0', '']
  const args = [target, String(entry.bytes), entry.sha256, `${target}.part-${run}`, ...known]
  const watch = watchProgress(place, entry)
  let pending = 0
  const stdin = async function* () {
    for await (const block of sending.contents) {
      onBytes(pending)
      pending = block.length
      watch.advance()
      yield block
    }
    sending.onEnd?.()
  }
  try {
    const signal = AbortSignal.any([sending.signal, watch.signal])
    const codes = [CODES.short, CODES.damaged]
    const { code, stdout } = await runScript(place, RECEIVE, args, { stdin: stdin(), signal, codes })
    if (code !== 0) throw explainDamage(place, entry, stdout.trim())
  } finally {
    watch.end()
  }
  onBytes(pending)
}

/** Aborts when the node has taken nothing for longer than it needs to write and read the whole file. */
function watchProgress(place: Place, { path, bytes }: FileEntry) {
  const limitMs = allowMs(place, bytes)
  const controller = new AbortController()
  const expire = () =>
    controller.abort(
      new LongshoreError('remote', `${place.node}: took nothing of ${path} for ${limitMs / 1000} s`, {
        hint: `see what keeps the disk of ${place.node} busy, then run the same command again: it continues`,
      }),
    )
  const timer = setTimeout(expire, limitMs)
  return { signal: controller.signal, advance: () => timer.refresh(), end: () => clearTimeout(timer) }
}

function explainDamage({ node }: Place, { path, sha256 }: FileEntry, found: string): LongshoreError {
  const what = found ? `it has sha-256 ${found}, the manifest says ${sha256}` : 'it is not whole'
  return new LongshoreError('corrupt', `${node}: ${path} arrived damaged: ${what}`, {
    hint: 'the generation differs from its own manifest, or a disk fails: split again, then deliver again',
  })
}
