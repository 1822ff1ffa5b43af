import type { SpaceComparison } from './compare-spaces.ts'
import type { Comparison } from './comparison.ts'
import type { Model } from './model.ts'
import type { GateResult } from './quality.ts'
import type { RatePoint } from './rate-curve.ts'
import type { MovedThreshold } from './score-threshold.ts'

export const REPORT_FORMAT = 'longshore-migration/1'

export type ReportedGeneration = {
  readonly generation: string
  readonly digest: string
  readonly model: Model
  readonly items: number
}

/** What embedding took, in the last run that embedded anything. */
export type ReportedWork = {
  /** Where it was computed. */
  readonly device: string
  readonly items: number
  readonly calls: number
  /** As the server counts them; 0 where it does not. */
  readonly tokens: number
  readonly retries: number
  readonly tookMs: number
  readonly rate: readonly RatePoint[]
}

/** What became of a gallery under another model, for those who decide on it and those who look it up later. */
export type MigrationReport = {
  readonly format: typeof REPORT_FORMAT
  /** ISO 8601 */
  readonly createdAt: string
  readonly before: ReportedGeneration
  readonly after: ReportedGeneration
  readonly work: ReportedWork
  /** Items that are not in the new generation, the first of them with the reason. */
  readonly rejects: {
    readonly count: number
    readonly listed: readonly { readonly item: string; readonly reason: string }[]
  }
  readonly spaces: SpaceComparison
  readonly threshold?: MovedThreshold
  /** Left out where the generations were not asked anything. */
  readonly comparison?: Comparison
  readonly gates: readonly GateResult[]
}
