import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './shared.ts'

/** What a real program printed once, from test/domain/recorded. */
export function readRecorded(file: string): string {
  return readFileSync(join(ROOT, 'test/domain/recorded', file), 'utf8')
}
