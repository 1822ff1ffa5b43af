import { crc32 } from 'node:zlib'
import { CONTENT_HASH_BYTES } from '../../domain/content.ts'

/** Bytes of a key: the hash, the CRC-32 of its embedding, and the CRC-32 of the key up to there. */
export const KEY_BYTES = CONTENT_HASH_BYTES + 8

/** The keys [n * 40] of hashes [n * 32] and their embeddings, row-major [n, dimensions]. */
export function encodeKeys(hashes: Uint8Array, vectors: Float32Array): Buffer {
  const count = hashes.length / CONTENT_HASH_BYTES
  const rowBytes = vectors.byteLength / count
  const bytes = bytesOf(vectors)
  const keys = Buffer.alloc(count * KEY_BYTES)
  for (let row = 0; row < count; row++) {
    const at = row * KEY_BYTES
    keys.set(hashes.subarray(row * CONTENT_HASH_BYTES, (row + 1) * CONTENT_HASH_BYTES), at)
    keys.writeUInt32LE(crc32(bytes.subarray(row * rowBytes, (row + 1) * rowBytes)), at + CONTENT_HASH_BYTES)
    keys.writeUInt32LE(crc32(keys.subarray(at, at + KEY_BYTES - 4)), at + KEY_BYTES - 4)
  }
  return keys
}

/** How many keys are whole, from the first on; what a killed process left torn is not. */
export function countWholeKeys(keys: Buffer): number {
  const count = Math.floor(keys.length / KEY_BYTES)
  for (let row = 0; row < count; row++) {
    if (!isWholeKey(keys, row * KEY_BYTES)) return row
  }
  return count
}

/** What of a key and an embedding is not what was added; undefined where both are. `at` is where the key begins. */
export function findDamage(
  keys: Buffer,
  at: number,
  expected: { readonly hash: Uint8Array; readonly vector: Uint8Array },
): string | undefined {
  if (!isWholeKey(keys, at)) return 'its key is damaged'
  const hash = keys.subarray(at, at + CONTENT_HASH_BYTES)
  if (!hash.equals(expected.hash)) return `it is that of ${hash.toString('hex').slice(0, 12)}`
  if (crc32(expected.vector) !== keys.readUInt32LE(at + CONTENT_HASH_BYTES)) return 'its embedding is damaged'
  return undefined
}

/** The memory of numbers as bytes. */
export function bytesOf(vectors: Float32Array): Uint8Array {
  return new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength)
}

function isWholeKey(keys: Buffer, at: number): boolean {
  return crc32(keys.subarray(at, at + KEY_BYTES - 4)) === keys.readUInt32LE(at + KEY_BYTES - 4)
}
