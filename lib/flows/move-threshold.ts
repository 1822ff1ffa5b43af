import type { Profile } from '../config/schema.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { Model } from '../domain/model.ts'
import { listPairScores, scoreAll } from '../domain/sample-scores.ts'
import { type MovedThreshold, moveThreshold } from '../domain/score-threshold.ts'
import type { PairedSample } from './sample-pairs.ts'

type Thresholds = Pick<Profile, 'model' | 'split'>

/** The threshold that the profile declares for a model. */
export function findDeclaredThreshold(profile: Thresholds, { fingerprint }: Model): number | undefined {
  return profile.model.fingerprint === fingerprint ? profile.split.threshold : undefined
}

/**
 * The threshold of a generation as it is under another model: its own, or that which the profile declares for its model.
 * Undefined without one, without two items to go by, and where the profile declares one for the other model.
 */
export function moveThresholdOf(
  profile: Thresholds,
  { before, model, sample }: { before: Manifest; model: Model; sample: PairedSample },
): MovedThreshold | undefined {
  const score = before.threshold ?? findDeclaredThreshold(profile, before.model)
  if (score === undefined || sample.names.length < 2) return undefined
  if (findDeclaredThreshold(profile, model) !== undefined) return undefined
  const former = scoreAll({ rows: sample.before, model: before.model })
  const later = scoreAll({ rows: sample.after, model })
  return moveThreshold(score, listPairScores(former), listPairScores(later))
}
