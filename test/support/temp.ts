import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made: string[] = []
process.on('exit', () => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true })
})

/** A new empty directory that is removed when the process exits. */
export function makeTempDir(): string {
  const directory = mkdtempSync(join(tmpdir(), 'longshore-test-'))
  made.push(directory)
  return directory
}
