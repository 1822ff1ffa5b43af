import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { messageOf } from '../../domain/errors.ts'
import { BlockFile } from '../generations/block-file.ts'
import { release, unpack } from './block-codec.ts'
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  HEADER_MOST,
  type PatchHeader,
  parseHeader,
  patchError,
  TRAILER_BYTES,
} from './patch-format.ts'

const LINE_FEED = 0x0a
/** Bytes of the longest number: 49 bits. */
const NUMBER_MOST = 7

/**
 * Opens a patch whose SHA-256 is the one at its end, for reading its body; to be closed. Raises `corrupt`, and what
 * the system raises.
 */
export async function openPatch(path: string, signal: AbortSignal): Promise<PatchReader> {
  const { start, header } = await checkPatch(path, signal)
  return new PatchReader(path, header, start)
}

/** The body of a patch, a block of it in memory. */
export class PatchReader {
  readonly path: string
  readonly header: PatchHeader
  readonly #file: BlockFile
  #left: number
  readonly #stored = Buffer.allocUnsafeSlow(BLOCK_BYTES)
  #unpacked: Uint8Array<ArrayBuffer> | undefined
  #block: Uint8Array = new Uint8Array()
  #at = 0

  /** `start`: where the first block begins. */
  constructor(path: string, header: PatchHeader, start: number) {
    this.path = path
    this.header = header
    this.#file = new BlockFile(path)
    this.#left = this.#file.size - start - TRAILER_BYTES
    this.#file.read(new Uint8Array(start))
  }

  get isAtEnd(): boolean {
    return this.#at === this.#block.length && this.#left === 0
  }

  /** A whole number from 0. Raises `corrupt`. */
  number(): number {
    let value = 0
    for (let index = 0, factor = 1; index < NUMBER_MOST; index++, factor *= 128) {
      if (this.#at === this.#block.length) this.#load()
      const byte = this.#block[this.#at++]!
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
    throw patchError(this.path, 'holds a number that is too large')
  }

  /** The next bytes, at least one and at most `most`; valid until the next call. Raises `corrupt` at the end. */
  take(most: number): Uint8Array {
    if (this.#at === this.#block.length) this.#load()
    const part = this.#block.subarray(this.#at, this.#at + most)
    this.#at += part.length
    return part
  }

  close(): void {
    this.#release()
    this.#file.close()
  }

  #load(): void {
    const header = Buffer.alloc(BLOCK_HEADER_BYTES)
    this.#read(header)
    const bytes = header.readUInt32LE(0)
    const stored = header.readUInt32LE(4)
    if (bytes === 0 || bytes > BLOCK_BYTES || stored > bytes) {
      throw patchError(this.path, `says that a block has ${bytes} bytes, stored as ${stored}`)
    }
    const packed = this.#stored.subarray(0, stored)
    this.#read(packed)
    this.#release()
    this.#block = stored === bytes ? packed : this.#unpack(packed, bytes)
    this.#at = 0
  }

  #unpack(packed: Uint8Array, bytes: number): Uint8Array {
    try {
      this.#unpacked = unpack(packed, bytes)
    } catch (error) {
      throw patchError(this.path, `holds a block that cannot be unpacked (${messageOf(error)})`)
    }
    if (this.#unpacked.length === bytes) return this.#unpacked
    throw patchError(this.path, `holds a block of ${this.#unpacked.length} bytes that says ${bytes}`)
  }

  #release(): void {
    if (this.#unpacked) release(this.#unpacked)
    this.#unpacked = undefined
  }

  #read(target: Uint8Array): void {
    if (target.length > this.#left || this.#file.read(target) < target.length) {
      throw patchError(this.path, 'ends too early')
    }
    this.#left -= target.length
  }
}

/** Reads a patch once, and proves its SHA-256. */
async function checkPatch(
  path: string,
  signal: AbortSignal,
): Promise<{ readonly start: number; readonly header: PatchHeader }> {
  const file = new BlockFile(path)
  try {
    const block = Buffer.allocUnsafe(BLOCK_BYTES)
    const hash = createHash('sha256')
    let left = file.size - TRAILER_BYTES
    const first = file.read(block.subarray(0, Math.max(0, Math.min(left, HEADER_MOST))))
    const start = block.subarray(0, first).indexOf(LINE_FEED) + 1
    if (start === 0) throw patchError(path, 'is no patch, or not whole: expected a line of JSON first')
    const header = parseHeader(block.toString('utf8', 0, start - 1), path)
    hash.update(block.subarray(0, first))
    for (left -= first; left > 0; ) {
      signal.throwIfAborted()
      const read = file.read(block.subarray(0, Math.min(left, BLOCK_BYTES)))
      if (read === 0) throw patchError(path, 'became shorter while it was read')
      hash.update(block.subarray(0, read))
      left -= read
      await turn()
    }
    const told = block.subarray(0, TRAILER_BYTES)
    file.read(told)
    if (hash.digest().equals(told)) return { start, header }
    throw patchError(path, 'is damaged: its SHA-256 is not the one at its end')
  } finally {
    file.close()
  }
}
