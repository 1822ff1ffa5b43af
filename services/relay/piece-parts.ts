import { PIECE_BUFFERS } from './piece-buffers.ts'

type Assembly = { readonly data: Buffer; filled: number }

/** Pieces that come from the command in parts, until the last part is there. */
export class PieceParts {
  readonly #assemblies = new Map<number, Assembly>()

  /**
   * Takes a part with its memory; the piece, of so many bytes, once the last one is there. What does not go on from the
   * part before is found by the SHA-256 of the piece; what goes on from nothing is forgotten.
   */
  add(piece: number, offset: number, { part, bytes }: { part: Buffer; bytes: number }): Buffer | undefined {
    if (offset === 0 && part.length >= bytes) return part
    const assembly = offset === 0 ? this.#start(piece, bytes) : this.#assemblies.get(piece)
    if (assembly) assembly.filled += part.copy(assembly.data, offset)
    PIECE_BUFFERS.give(part)
    if (!assembly || assembly.filled < bytes) return undefined
    this.#assemblies.delete(piece)
    return assembly.data
  }

  #start(piece: number, bytes: number): Assembly {
    const data = this.#assemblies.get(piece)?.data ?? PIECE_BUFFERS.take(bytes)
    const assembly = { data, filled: 0 }
    this.#assemblies.set(piece, assembly)
    return assembly
  }
}
