import type { RecallPoint } from './manifest.ts'

/** What a gate found, as shown to the operator and written to the report. */
export type GateResult = {
  readonly name: GateName
  /** The measured value; shares are 0..1. */
  readonly measured: number
  /** The limit it was held against, written as the operator reads it, for example `>= 0.9`. */
  readonly limit: string
  readonly passed: boolean
  /** Where it went wrong, or what the number means: the file, the shard, the first bad row. */
  readonly detail?: string
}

/** The gates of a generation, in the order in which they are shown; each name is also its key under `gates` in a profile. */
export const GATE_NAMES = [
  'integrity',
  'finiteValues',
  'norms',
  'uniqueIds',
  'selfRouting',
  'recall',
  'search',
  'golden',
  'duplicates',
  'rejects',
  'sizeChange',
  'model',
] as const
/** `modelLoss`, `threshold` and `bridge` compare two models. */
export type GateName = (typeof GATE_NAMES)[number] | 'modelLoss' | 'threshold' | 'bridge'

/** Limits of a profile. Shares are 0..1. */
export type GateLimits = {
  /** Least share of rows whose nearest centroid is their own shard's. */
  readonly selfRouting: number
  /** Least recall@10 at the chosen nprobe, against exact search over the whole generation. */
  readonly recall: number
  /** Least recall@10 of a shard that is not searched exactly, against exact search within it. */
  readonly search: number
  /** Least share of the user's own query -> id pairs found among the first 10. */
  readonly golden: number
  /** Largest share of items whose text another item already has. */
  readonly duplicates: number
  /** Largest share of input rows that may be dropped or merged. */
  readonly rejects: number
  /** Largest relative change of the item count against the parent, either way. */
  readonly sizeChange: number
  /** Largest deviation of a row's norm from 1, where the model is normalized. */
  readonly norms: number
  /** Least mean cosine between a stored embedding and the embedding of its text by the model that will embed queries. */
  readonly model: number
}

/** The least nprobe whose measured recall reaches the target; every cluster when none does. */
export function chooseNprobe(curve: readonly RecallPoint[], target: number): number {
  const enough = curve.find((point) => point.recall >= target)
  return (enough ?? curve[curve.length - 1])?.nprobe ?? 1
}

/** A gate on a value that must not be smaller than its limit. */
export function atLeast(name: GateName, measured: number, limit: number, detail?: string): GateResult {
  return { name, measured, limit: `>= ${limit}`, passed: measured >= limit, ...(detail && { detail }) }
}

/** A gate on a value that must not be larger than its limit. NaN never passes. */
export function atMost(name: GateName, measured: number, limit: number, detail?: string): GateResult {
  return { name, measured, limit: `<= ${limit}`, passed: measured <= limit, ...(detail && { detail }) }
}
