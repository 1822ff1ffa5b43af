import type { FleetRecord, JournalEntry } from './record.ts'

export type ProgressStep = {
  /** `load index_0 on node-1` */
  readonly name: string
  readonly state: 'started' | 'done' | 'failed'
  readonly startedAt: string
  /** Since when it is done or failed. */
  readonly endedAt?: string
}

/** How far a run is that changes services, by what it has written to the journal. */
export type RunProgress = {
  readonly command: string
  readonly from: string | null
  readonly to: string
  readonly phase: 'forward' | 'compensating'
  readonly startedAt: string
  readonly owner: string
  /** In the order in which they began. */
  readonly steps: readonly ProgressStep[]
  readonly done: number
  /** How many there are in all; null where a run goes back, or did not write it down. */
  readonly total: number | null
}

/** The run on record with its steps; null when none is under way or unfinished. */
export function findProgress({ run }: FleetRecord, journal: readonly JournalEntry[]): RunProgress | null {
  if (!run) return null
  const steps = new Map<string, ProgressStep>()
  for (const { at, event, detail } of journal.filter((entry) => entry.run === run.id)) {
    if (event === 'step-begin') {
      steps.set(detail, { name: detail.replace(/^\d+ /, ''), state: 'started', startedAt: at })
    }
    // Behind the name of a step that failed stands why.
    const ended = [...steps.keys()].find((one) => detail === one || detail.startsWith(`${one}: `))
    const begun = ended === undefined ? undefined : steps.get(ended)
    if (begun && event === 'step-done') steps.set(ended!, { ...begun, state: 'done', endedAt: at })
    if (begun && event === 'step-failed') steps.set(ended!, { ...begun, state: 'failed', endedAt: at })
  }
  const { command, former, target, phase, startedAt, owner } = run
  const list = [...steps.values()]
  return {
    ...{ command, from: former?.name ?? null, to: target.name, phase, startedAt, owner, steps: list },
    done: list.filter(({ state }) => state === 'done').length,
    total: phase === 'forward' ? (run.steps ?? null) : null,
  }
}
