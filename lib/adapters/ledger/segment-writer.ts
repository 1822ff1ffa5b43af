import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode, syncDirectory } from '../files/durable-files.ts'
import { bytesOf, encodeKeys, KEY_BYTES } from './segment-record.ts'

/** Contents by their hashes [n * 32] with their embeddings, row-major [n, dimensions]. */
export type Rows = { readonly hashes: Uint8Array; readonly vectors: Float32Array }

export function keysFile(directory: string, number: number): string {
  return join(directory, `segment-${String(number).padStart(6, '0')}.keys`)
}

export function vectorsFile(directory: string, number: number): string {
  return keysFile(directory, number).replace(/keys$/, 'vectors')
}

/** A segment that one process fills: rows reach the disk before their keys do, so that every key has its row. */
export class SegmentWriter {
  readonly number: number
  rows = 0
  readonly #keys: FileHandle
  readonly #vectors: FileHandle

  private constructor(number: number, keys: FileHandle, vectors: FileHandle) {
    this.number = number
    this.#keys = keys
    this.#vectors = vectors
  }

  /** A new segment with the first free number from `number` on. Its keys come last: without them it is no segment. */
  static async create(directory: string, number: number): Promise<SegmentWriter> {
    for (let next = number; ; next++) {
      const vectors = await open(vectorsFile(directory, next), 'wx').catch((error: unknown) => {
        if (hasCode(error, 'EEXIST')) return undefined
        throw error
      })
      if (!vectors) continue
      try {
        const keys = await open(keysFile(directory, next), 'wx')
        await syncDirectory(directory)
        return new SegmentWriter(next, keys, vectors)
      } catch (error) {
        await vectors.close()
        throw error
      }
    }
  }

  /** Adds rows; on disk when it resolves. After a failure nothing was added, and the same may be tried again. */
  async append(parts: readonly Rows[]): Promise<void> {
    const count = parts.reduce((sum, { hashes }) => sum + hashes.length / 32, 0)
    if (count === 0) return
    const rowBytes = parts[0]!.vectors.byteLength / (parts[0]!.hashes.length / 32)
    await writeAll(
      this.#vectors,
      parts.map(({ vectors }) => bytesOf(vectors)),
      this.rows * rowBytes,
    )
    await this.#vectors.datasync()
    const keys = parts.map(({ hashes, vectors }) => encodeKeys(hashes, vectors))
    await writeAll(this.#keys, keys, this.rows * KEY_BYTES)
    await this.#keys.datasync()
    this.rows += count
  }

  async close(): Promise<void> {
    await this.#keys.close()
    await this.#vectors.close()
  }
}

async function writeAll(file: FileHandle, blocks: Uint8Array[], position: number): Promise<void> {
  const { bytesWritten } = await file.writev(blocks, position)
  const total = blocks.reduce((sum, { length }) => sum + length, 0)
  if (bytesWritten === total) return
  const all = Buffer.concat(blocks)
  for (let done = bytesWritten; done < total; ) {
    done += (await file.write(all, done, total - done, position + done)).bytesWritten
  }
}
