import { closeSync, openSync } from 'node:fs'

/** A file that is held open: its bytes can be read and mapped again, also once its name leads to others or nowhere. */
export type HeldFile = {
  /** For messages. */
  readonly path: string
  readonly descriptor: number
  /** Leads to these bytes within this process. */
  readonly place: string
  close(): void
}

const OWN_FILES = process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd'

/** Opens a file for reading. Raises the system's error. */
export function holdFile(path: string): HeldFile {
  const descriptor = openSync(path, 'r')
  return { path, descriptor, place: `${OWN_FILES}/${descriptor}`, close: () => closeSync(descriptor) }
}
