import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { findLastWords } from '../../domain/last-words.ts'
import { hasCode } from '../files/durable-files.ts'

const TAIL_BYTES = 8192

/**
 * The line at the end of a log that says best why its process ended. What stands before byte `from` is of an earlier
 * process. Synchronous, so that a process has ended and said why at one moment.
 */
export function readLastWords(path: string, from = 0): string | undefined {
  return findLastWords(readTail(path, from))
}

function readTail(path: string, from: number): string {
  try {
    const file = openSync(path, 'r')
    try {
      const { size } = fstatSync(file)
      const buffer = Buffer.alloc(Math.max(0, Math.min(size - from, TAIL_BYTES)))
      readSync(file, buffer, 0, buffer.length, size - buffer.length)
      return buffer.toString('utf8')
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return ''
    throw error
  }
}
