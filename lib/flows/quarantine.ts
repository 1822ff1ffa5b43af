import type { Quarantine } from '../domain/record.ts'
import { withQuarantine } from '../domain/record-rules.ts'
import type { Session } from './session.ts'

/** Keeps a generation out of every unattended run from now on. */
export async function quarantine(session: Session, bad: Omit<Quarantine, 'at'>): Promise<void> {
  const at = new Date(session.context.now()).toISOString()
  await session.changeRecord((record) => withQuarantine(record, { ...bad, at }))
  await session.log('quarantine', `${bad.generation.name} ${bad.generation.digest}: ${bad.reason}`)
}
