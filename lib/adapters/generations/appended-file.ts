import { closeSync, fdatasync, fsync, openSync, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'

/**
 * Bytes after which what was written is sent to the disk while writing goes on, so that the end does not wait for it. Each
 * time the journal of the file system holds up those who write beside; less than this is sent while gates are measured.
 */
const SYNC_EVERY = 512 * 1024 * 1024

/** A new file that is written from its start to its end. */
export class AppendedFile {
  bytes = 0
  readonly #descriptor: number
  #syncedBytes = 0
  #syncing: Promise<void> | undefined
  #failure: unknown

  /** Creates a file, which must not exist. */
  constructor(path: string) {
    this.#descriptor = openSync(path, 'wx')
  }

  append(data: Uint8Array): void {
    this.#write(data, this.bytes)
    this.#grow(data.length)
  }

  /** As `append`, beside other work: `data` must stay as it is, and nothing else be appended, until it resolves. */
  async appendBeside(data: Uint8Array): Promise<void> {
    for (let done = 0; done < data.length; ) {
      const left = data.length - done
      const { bytesWritten } = await promisify(write)(this.#descriptor, data, done, left, this.bytes + done)
      done += bytesWritten
    }
    this.#grow(data.length)
  }

  /** Replaces bytes that were written before. */
  patch(data: Uint8Array, position: number): void {
    this.#write(data, position)
  }

  /** Resolves when everything is on the disk, and closes the file. */
  async close(): Promise<void> {
    await this.#syncing
    try {
      if (this.#failure !== undefined) throw this.#failure
      await promisify(fsync)(this.#descriptor)
    } finally {
      closeSync(this.#descriptor)
    }
  }

  #grow(bytes: number): void {
    this.bytes += bytes
    if (!this.#syncing && this.bytes - this.#syncedBytes >= SYNC_EVERY) this.#startSync()
  }

  #startSync(): void {
    this.#syncedBytes = this.bytes
    this.#syncing = promisify(fdatasync)(this.#descriptor)
      .catch((error: unknown) => {
        this.#failure ??= error
      })
      .finally(() => {
        this.#syncing = undefined
      })
  }

  #write(data: Uint8Array, position: number): void {
    for (let done = 0; done < data.length; ) {
      done += writeSync(this.#descriptor, data, done, data.length - done, position + done)
    }
  }
}
