import type { Fleet } from '../domain/fleet.ts'
import type { GenerationRef } from '../domain/generation.ts'
import type { Retention } from '../domain/plan-deliver.ts'
import type { FleetRecord } from '../domain/record.ts'
import { historyOf } from '../domain/record-rules.ts'
import type { Session } from './session.ts'

/**
 * What nodes keep when a generation comes to them that nobody serves yet: it, all that services hold or shall hold, the
 * one in service and the one before, what an unfinished run moves between, what is frozen or quarantined and may have to
 * be looked at, and of the rest as many as the profile says.
 */
export async function chooseRetention(
  { context, readRecord }: Session,
  fleet: Fleet,
  target: GenerationRef,
): Promise<Retention> {
  const record = await readRecord()
  const kept = [target, ...listLoaded(fleet), ...historyOf(record.releases).slice(-2), ...listMoving(record)]
  return {
    newest: target.name,
    kept: [...new Set([...kept.map(({ name }) => name), ...listInspected(record)])],
    keep: context.profile.update.keep,
  }
}

/** Names of generations that somebody may want to look at: quarantined ones, and the frozen one. */
export function listInspected({ quarantined, frozen }: FleetRecord): string[] {
  const all = [...quarantined, ...(frozen ? [frozen] : [])]
  return all.map(({ generation }) => generation.name)
}

function listLoaded({ services }: Fleet): GenerationRef[] {
  return services.flatMap(({ spec, tasks }) => [
    ...spec.generations,
    ...tasks.flatMap(({ generations }) => generations),
  ])
}

function listMoving({ run }: FleetRecord): GenerationRef[] {
  return run ? [run.target, ...(run.former ? [run.former] : [])] : []
}
