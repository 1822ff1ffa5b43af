import { digestOf } from './canonical-json.ts'

export const METRICS = ['cosine', 'dot', 'l2'] as const
/** How two embeddings are compared. Scores are always "higher is better": l2 scores are negated squared distances. */
export type Metric = (typeof METRICS)[number]

/** The identity of an embedding space: a value, not a process. */
export type Model = {
  readonly name: string
  readonly version: string
  /** Length of every embedding. */
  readonly dimensions: number
  readonly metric: Metric
  /** Whether every embedding has unit length. */
  readonly normalized: boolean
  /** Two models are the same space exactly when their fingerprints are equal. */
  readonly fingerprint: string
}

/** The fingerprint of a model whose server tells none: the digest of everything that is declared of it. */
export function fingerprintOf(declared: Omit<Model, 'fingerprint'>): string {
  return digestOf({ ...declared })
}

/** The first member in which two models differ, or undefined when they are one space. */
export function findModelDifference(a: Model, b: Model): keyof Model | undefined {
  const members = ['dimensions', 'metric', 'normalized', 'name', 'version', 'fingerprint'] as const
  return members.find((member) => a[member] !== b[member])
}
