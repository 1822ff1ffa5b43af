import { type GenerationRef, isSameGeneration } from './generation.ts'
import type { FleetRecord, Quarantine, Release, Run } from './record.ts'

/**
 * Generations in the order in which rollbacks go through them, the one in service last: an update adds one, a rollback
 * takes away what came after its target.
 */
export function historyOf(releases: readonly Release[]): GenerationRef[] {
  const history: GenerationRef[] = []
  for (const { generation, command } of releases) {
    const at = history.findIndex((one) => isSameGeneration(one, generation))
    if (command === 'rollback' && at >= 0) history.length = at
    if (!isSameGeneration(history[history.length - 1], generation)) history.push(generation)
  }
  return history
}

export function lastRelease(record: FleetRecord): Release | undefined {
  return record.releases[record.releases.length - 1]
}

/** The last generation in service before or besides `generation` that is not quarantined; it stays loaded beside it. */
export function findCompanion(record: FleetRecord, generation: GenerationRef): GenerationRef | undefined {
  return record.releases
    .map((release) => release.generation)
    .findLast((other) => !isSameGeneration(other, generation) && !findQuarantine(record, other))
}

/** Why a generation is quarantined, by its digest or, where it is known, the digest of its content. */
export function findQuarantine(
  record: FleetRecord,
  { digest }: Pick<GenerationRef, 'digest'>,
  content: string | null = null,
): Quarantine | undefined {
  return record.quarantined.find(
    (bad) => bad.generation.digest === digest || (content !== null && bad.content === content),
  )
}

export function isFrozen(record: FleetRecord, generation: GenerationRef): boolean {
  return record.frozen?.generation.digest === generation.digest
}

/** The record with one more quarantined generation; the entry replaces an older one of the same digest. */
export function withQuarantine(record: FleetRecord, bad: Quarantine): FleetRecord {
  const others = record.quarantined.filter((one) => one.generation.digest !== bad.generation.digest)
  return { ...record, quarantined: [...others, bad] }
}

export function withRun(record: FleetRecord, run: Run | null): FleetRecord {
  return { ...record, run }
}

/**
 * The record once a run is in service for good: released, out of quarantine, no longer running. An update ends a
 * freeze; a rollback freezes the generation that it left.
 */
export function withRelease(record: FleetRecord, run: Run, at: string, by: string): FleetRecord {
  const { command, target, clusters, model, former } = run
  const id = (lastRelease(record)?.id ?? 0) + 1
  const frozen = command === 'rollback' && former ? { generation: former, since: at, by } : null
  return {
    releases: [
      ...record.releases,
      {
        ...{ id, generation: target, command, at, by },
        ...(clusters !== undefined && { clusters }),
        ...(model !== undefined && { model }),
      },
    ],
    quarantined: record.quarantined.filter((bad) => bad.generation.digest !== target.digest),
    frozen,
    run: null,
  }
}
