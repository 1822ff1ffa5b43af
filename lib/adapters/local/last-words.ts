import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { hasCode } from './durable-files.ts'

const TAIL_BYTES = 8192

/**
 * The line at the end of a log that says best why its process ended: the error, not the stack below it. What stands
 * before byte `from` is of an earlier process. Synchronous, so that a process has ended and said why at one moment.
 */
export function readLastWords(path: string, from = 0): string | undefined {
  const lines = readTail(path, from).split('\n').map(readMessage).filter(Boolean)
  return lines.findLast((line) => /^(Uncaught )?\w*(Error|Exception)\b.*: /.test(line)) ?? lines.at(-1)
}

/** The words of one line of a log: its message where it is JSON, nothing where it is part of a stack. */
function readMessage(line: string): string {
  const text = line.trim()
  if (/^(at |Node\.js v\d|\^+$|[{}\]]+$)/.test(text)) return ''
  if (!text.startsWith('{')) return text
  try {
    const { msg, message } = JSON.parse(text) as { msg?: unknown; message?: unknown }
    return String(message ?? msg ?? text)
  } catch {
    return text
  }
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
