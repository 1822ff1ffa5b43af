import { closeSync, fdatasync, fsync, openSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'

/** Bytes after which what was written is sent to the disk while writing goes on, so that the end does not wait for it. */
const SYNC_EVERY = 32 * 1024 * 1024

/** A new file that is written from its start to its end. */
export type AppendedFile = {
  readonly bytes: number
  append(bytes: Uint8Array): void
  /** Replaces bytes that were written before. */
  patch(bytes: Uint8Array, position: number): void
  /** Resolves when everything is on the disk, and closes the file. */
  close(): Promise<void>
}

/** Creates a file, which must not exist. */
export function createFile(path: string): AppendedFile {
  const descriptor = openSync(path, 'wx')
  let bytes = 0
  let syncedBytes = 0
  let syncing: Promise<void> = Promise.resolve()
  let failure: unknown

  const startSync = () => {
    syncedBytes = bytes
    syncing = promisify(fdatasync)(descriptor).catch((error: unknown) => {
      failure ??= error
    })
  }
  return {
    get bytes() {
      return bytes
    },
    append(data) {
      writeAll(descriptor, data, bytes)
      bytes += data.length
      if (bytes - syncedBytes >= SYNC_EVERY) startSync()
    },
    patch(data, position) {
      writeAll(descriptor, data, position)
    },
    async close() {
      await syncing
      try {
        if (failure !== undefined) throw failure
        await promisify(fsync)(descriptor)
      } finally {
        closeSync(descriptor)
      }
    },
  }
}

function writeAll(descriptor: number, data: Uint8Array, position: number): void {
  for (let done = 0; done < data.length; ) {
    done += writeSync(descriptor, data, done, data.length - done, position + done)
  }
}
