import { createHash } from 'node:crypto'
import { AppendedFile } from '../generations/appended-file.ts'
import { usePacked } from './block-codec.ts'
import { BLOCK_BYTES, BLOCK_HEADER_BYTES, type PatchHeader } from './patch-format.ts'

/** A patch that is written from its start to its end, compressed block by block. */
export class PatchWriter {
  /** Bytes of the body before compression. */
  bodyBytes = 0
  readonly #file: AppendedFile
  readonly #hash = createHash('sha256')
  readonly #block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
  #filled = 0
  #isClosed = false

  /** Creates a file, which must not exist. */
  constructor(path: string, header: PatchHeader) {
    this.#file = new AppendedFile(path)
    this.#append(Buffer.from(`${JSON.stringify(header)}\n`))
  }

  /** Adds a whole number from 0, as LEB128. */
  number(value: number): void {
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#byte((rest % 128) + 128)
    this.#byte(rest)
  }

  bytes(data: Uint8Array): void {
    this.bodyBytes += data.length
    for (let done = 0; done < data.length; ) {
      const part = data.subarray(done, done + BLOCK_BYTES - this.#filled)
      this.#block.set(part, this.#filled)
      this.#filled += part.length
      done += part.length
      if (this.#filled === BLOCK_BYTES) this.#flush()
    }
  }

  /** Writes what is left and the SHA-256; resolves to the bytes of the file when all is on the disk. */
  async finish(): Promise<number> {
    this.#flush()
    this.#file.append(this.#hash.digest())
    await this.abandon()
    return this.#file.bytes
  }

  /** Closes the file as it is. */
  async abandon(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#file.close()
  }

  #byte(value: number): void {
    this.bodyBytes++
    this.#block[this.#filled++] = value
    if (this.#filled === BLOCK_BYTES) this.#flush()
  }

  #flush(): void {
    if (this.#filled === 0) return
    const plain = this.#block.subarray(0, this.#filled)
    usePacked(plain, (packed) => this.#store(plain.length, packed.length < plain.length ? packed : plain))
    this.#filled = 0
  }

  #store(bytes: number, stored: Uint8Array): void {
    const header = Buffer.alloc(BLOCK_HEADER_BYTES)
    header.writeUInt32LE(bytes, 0)
    header.writeUInt32LE(stored.length, 4)
    this.#append(header)
    this.#append(stored)
  }

  #append(data: Uint8Array): void {
    this.#hash.update(data)
    this.#file.append(data)
  }
}
