import { readFile } from 'node:fs/promises'
import type { JournalEntry } from '../../lib/domain/record.ts'
import { eventually } from './eventually.ts'

/** The whole lines of a journal; none while there is no file. */
export async function readJournal(path: string): Promise<JournalEntry[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const lines = text.split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as JournalEntry)
}

/** Waits until `matches` holds for a line after the first `after` ones, or until `hasEnded`; tells whether it does. */
export async function waitForEntry(
  path: string,
  matches: (entry: JournalEntry, index: number) => boolean,
  { after, hasEnded }: { after: number; hasEnded: () => boolean },
): Promise<boolean> {
  return await eventually(async () => {
    const isOver = hasEnded()
    if ((await readJournal(path)).slice(after).some(matches)) return true
    if (isOver) return false
    throw new Error(`no such line in ${path}`)
  }, 60_000)
}

/** Matches the line that tells that a step of this action begins. */
export function isStep(action: string): (entry: JournalEntry) => boolean {
  return (entry) => entry.event === 'step-begin' && entry.detail.includes(action)
}
