import { closeSync, fstatSync, openSync } from 'node:fs'
import koffi from 'koffi'
import { LongshoreError } from '../../domain/errors.ts'

const PROT_READ = 1
const MAP_SHARED = 1

const libc = koffi.load(process.platform === 'darwin' ? 'libSystem.dylib' : null)
const mmap = libc.func('void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)')
const munmap = libc.func('int munmap(void *addr, size_t length)')

/** A file as memory: pages come from the page cache and are shared by all processes that map it. */
export type MappedFile = {
  /** Read-only: writing to it ends the process. */
  readonly bytes: ArrayBuffer
  /** The same memory from an offset on, as a buffer of its own. */
  from(offset: number): ArrayBuffer
  /** Gives the mapping back; nothing may touch `bytes` afterwards. */
  unmap(): void
}

/** Maps a whole file for reading. The file must not shrink while it is mapped: generations are never edited. */
export function mapFile(path: string): MappedFile {
  const descriptor = openSync(path, 'r')
  try {
    const length = fstatSync(descriptor).size
    if (length === 0) throw new LongshoreError('corrupt', `${path}: is empty`)
    const address: unknown = mmap(null, length, PROT_READ, MAP_SHARED, descriptor, 0)
    const start = koffi.address(address)
    if (start === 0xffffffffffffffffn) throw new Error(`cannot map ${path} (${length} bytes)`)
    return {
      bytes: koffi.view(address, length),
      from: (offset) => koffi.view(start + BigInt(offset), length - offset),
      unmap: () => {
        munmap(address, length)
      },
    }
  } finally {
    closeSync(descriptor)
  }
}
