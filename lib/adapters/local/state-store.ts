import { join } from 'node:path'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { EMPTY_RECORD, type FleetRecord } from '../../domain/record.ts'
import type { StateStore } from '../../ports/state-store.ts'
import { appendToJournal, readJournal } from './journal.ts'
import { assertHeld, findHolder, takeLock } from './lock.ts'
import { createNumberedFiles, type NumberedFile } from './numbered-files.ts'

export type LocalStateSettings = {
  /** Directory of what the engine keeps; made when it is needed. */
  readonly state: string
  readonly leaseSeconds: number
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/**
 * A fleet's memory in files: `lock/N.json` and `record/N.json`, where N is the fence of the lease that wrote them and
 * the largest counts, and `journal.jsonl`.
 */
export function createLocalStateStore({
  state,
  leaseSeconds,
  now = Date.now,
}: LocalStateSettings): StateStore {
  const locks = createNumberedFiles(join(state, 'lock'))
  const records = createNumberedFiles(join(state, 'record'))
  const journal = join(state, 'journal.jsonl')
  const readFloor = async () =>
    Math.max(
      (await records.readNewest())?.number ?? 0,
      ...(await readJournal(journal)).map((line) => line.fence),
    )
  return {
    acquire: (claim) => takeLock(claim, { files: locks, readFloor, leaseSeconds, now }),
    findHolder: () => findHolder(locks, now()),
    async read() {
      const newest = await records.readNewest()
      return newest ? parseRecord(newest, join(state, 'record')) : EMPTY_RECORD
    },
    async write(record, lease) {
      await assertHeld(locks, lease.fence)
      await records.replace(lease.fence, `${JSON.stringify(record, null, 2)}\n`)
      // Whoever took over meanwhile writes under a larger number; ours is then read by nobody, and we say so.
      await assertHeld(locks, lease.fence)
      await records.removeBelow(lease.fence)
    },
    async append(entry, lease) {
      await assertHeld(locks, lease.fence)
      await appendToJournal(journal, entry, lease.fence)
      await assertHeld(locks, lease.fence)
    },
    journal: async () => (await readJournal(journal)).map(({ fence: _fence, ...entry }) => entry),
  }
}

function parseRecord({ number, text }: NumberedFile, directory: string): FleetRecord {
  try {
    return { ...EMPTY_RECORD, ...(JSON.parse(text) as Partial<FleetRecord>) }
  } catch (error) {
    throw new LongshoreError('corrupt', `${join(directory, `${number}.json`)}: ${messageOf(error)}`, {
      hint: 'move the file aside: the fleet then has no releases on record until the next update',
      cause: error,
    })
  }
}
