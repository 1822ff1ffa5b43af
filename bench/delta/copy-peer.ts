import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, globSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** How long the same bytes take as plain files: `cp`, synced, and read back for their SHA-256. Milliseconds. */
export function timeCopy(from: string, to: string): number {
  const start = performance.now()
  execFileSync('cp', ['-r', from, to])
  for (const name of globSync('**/*', { cwd: to })) {
    const path = join(to, name)
    if (statSync(path).isFile()) syncAndHash(path)
  }
  const tookMs = performance.now() - start
  rmSync(to, { recursive: true })
  return tookMs
}

function syncAndHash(path: string): void {
  const file = openSync(path, 'r')
  fsyncSync(file)
  closeSync(file)
  createHash('sha256').update(readFileSync(path)).digest()
}
