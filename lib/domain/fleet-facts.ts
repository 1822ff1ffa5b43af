import { findDrift } from './drift.ts'
import { type Fleet, listServed } from './fleet.ts'
import type { FleetRecord, JournalEntry } from './record.ts'
import { historyOf } from './record-rules.ts'
import { findProgress } from './run-progress.ts'

export type Observed = {
  readonly record: FleetRecord
  readonly fleet: Fleet
  readonly journal: readonly JournalEntry[]
  /** Who holds the lock and what for. */
  readonly holder: string | undefined
}

export type FleetFacts = ReturnType<typeof assembleFacts>

/** What operators look at, in a terminal and in the console, of what was observed and is on record at one moment. */
export function assembleFacts({ record, fleet, journal, holder }: Observed) {
  const [served = null] = listServed(fleet)
  return {
    serving: served && { generation: served.name, digest: served.digest },
    previous: historyOf(record.releases).at(-2)?.name ?? null,
    nodes: fleet.nodes,
    services: fleet.services.map(({ spec, tasks }) => ({ name: spec.name, kind: spec.kind, tasks })),
    releases: record.releases,
    quarantined: record.quarantined,
    frozen: record.frozen,
    run: record.run,
    progress: findProgress(record, journal),
    // Until when its lease holds changes all the time.
    holder: holder?.replace(/ \(its lease .*\)$/, '') ?? null,
    drift: findDrift(fleet, record),
  }
}
