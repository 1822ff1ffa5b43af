import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Changes one byte in the middle of a file, as a failing disk would. */
export function flipByte(path: string): void {
  const bytes = readFileSync(path)
  bytes[bytes.length >> 1]! ^= 0x55
  writeFileSync(path, bytes)
}

/** Every path below a directory; none where it does not exist. */
export function listAll(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory, { recursive: true }).map(String) : []
}
