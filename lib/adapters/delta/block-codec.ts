import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { BLOCK_BYTES } from './patch-format.ts'

const LEVEL = 3
/** Room for any result at once: bytes that do not compress grow by less than this. */
const chunkSize = BLOCK_BYTES + 64 * 1024

/** Lends a block as zstd writes it. */
export function usePacked(block: Uint8Array, use: (packed: Uint8Array) => void): void {
  const packed = zstdCompressSync(block, {
    chunkSize,
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL },
  })
  use(packed)
  release(packed)
}

/** A block of at most `bytes` as it was; to be released. Raises what zstd raises. */
export function unpack(packed: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  return zstdDecompressSync(packed, { chunkSize, maxOutputLength: bytes })
}

/** Frees the memory of a result at once: collected as garbage it would grow to many times what is held. */
export function release(result: Uint8Array<ArrayBuffer>): void {
  result.buffer.transfer(0)
}
