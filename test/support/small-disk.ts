import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

/** A disk with little room. Needs root. */
export type SmallDisk = {
  /** Makes its size another one, in bytes. */
  resize(bytes: number): void
  unmount(): void
}

/** Makes a directory a disk of its own with room for so many bytes, rounded up to whole pages. */
export function mountSmallDisk(directory: string, bytes: number): SmallDisk {
  mkdirSync(directory, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory])
  return {
    resize: (size) => execFileSync('mount', ['-o', `remount,size=${size}`, directory]),
    // Files of it may still be mapped.
    unmount: () => execFileSync('umount', ['--lazy', directory]),
  }
}
