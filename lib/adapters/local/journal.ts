import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { JournalEntry } from '../../domain/record.ts'
import { hasCode } from '../files/durable-files.ts'

/** A line of journal.jsonl: an entry and the fence of the lease that it was written under. */
export type JournalLine = JournalEntry & { readonly fence: number }

/** Adds a line to the journal; on disk when this resolves. A line that a killed process left torn is cut off first. */
export async function appendToJournal(path: string, entry: JournalEntry, fence: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const file = await open(path, 'a+', 0o600)
  try {
    const { size } = await file.stat()
    const whole = await findWholeLength(path, size)
    if (whole < size) await file.truncate(whole)
    await file.appendFile(`${JSON.stringify({ ...entry, fence })}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * The journal's lines, oldest first. A torn last line is left out, and so is one written by a process that had lost
 * its lease before it wrote. Raises `corrupt` naming the line for anything else that is no JSON.
 */
export async function readJournal(path: string): Promise<JournalLine[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return ''
    throw error
  })
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1)
  let newest = 0
  return lines.flatMap((line, index) => {
    const parsed = parseLine(line, `${path}:${index + 1}`)
    if (parsed.fence < newest) return []
    newest = parsed.fence
    return [parsed]
  })
}

function parseLine(line: string, where: string): JournalLine {
  try {
    return JSON.parse(line) as JournalLine
  } catch (error) {
    throw new LongshoreError('corrupt', `${where}: is no JSON (${messageOf(error)})`, {
      hint: 'move the journal aside to begin a new one; the record of releases is kept elsewhere',
      cause: error,
    })
  }
}

/** The length up to the end of the last whole line. */
async function findWholeLength(path: string, size: number): Promise<number> {
  const file = await open(path, 'r')
  try {
    const window = Buffer.alloc(Math.min(size, 64 * 1024))
    await file.read(window, 0, window.length, size - window.length)
    const end = window.lastIndexOf('\n')
    return end < 0 && window.length < size ? size : size - window.length + end + 1
  } finally {
    await file.close()
  }
}
