import type { RunFacts } from '../domain/run-metrics.ts'

/** Somebody who is told how each command ended. */
export interface RunSink {
  /** The key of the profile that names it. */
  readonly key: string
  take(facts: RunFacts): Promise<void>
}
