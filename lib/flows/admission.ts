import { LongshoreError } from '../domain/errors.ts'
import { type GenerationRef, isSameGeneration, parseGenerationNumber } from '../domain/generation.ts'
import { computeContentDigest, type Manifest, refOf } from '../domain/manifest.ts'
import { findQuarantine, isFrozen } from '../domain/record-rules.ts'
import type { FleetContext } from './context.ts'
import { quarantine } from './quarantine.ts'
import type { Session } from './session.ts'

/** The generation asked for, as it lies on the operator's machine; `problem` where its manifest is not whole. */
export type Candidate =
  | { readonly ref: GenerationRef; readonly manifest: Manifest }
  | { readonly ref: GenerationRef; readonly manifest: null; readonly problem: LongshoreError }

/** The named generation, or the newest. Raises `usage` for what is no generation's name, and `not-found`. */
export async function findCandidate(context: FleetContext, asked?: string): Promise<Candidate> {
  if (asked !== undefined) parseGenerationNumber(asked)
  const name = asked ?? (await context.generations.list()).at(-1)
  if (name === undefined) {
    throw new LongshoreError('not-found', `there is no generation in ${context.profile.generations}`, {
      hint: 'split-index.mjs makes the first one; relative paths start at the working directory',
    })
  }
  try {
    const manifest = await context.generations.read(name)
    return { ref: refOf(manifest), manifest }
  } catch (error) {
    if (!(error instanceof LongshoreError) || error.kind !== 'corrupt') throw error
    const ref = { name, digest: await context.generations.fingerprint(name) }
    return { ref, manifest: null, problem: error }
  }
}

/**
 * The manifest of a candidate that may be served. Raises `quarantined` when its digest or content failed before or an
 * operator went back from it (not with `force`), and `corrupt` for a manifest that is not whole, which is quarantined.
 */
export async function admit(session: Session, candidate: Candidate, force: boolean): Promise<Manifest> {
  const { ref, manifest } = candidate
  if (!force) await refuseKnown(session, ref, manifest)
  if (manifest) return manifest
  await quarantine(session, { generation: ref, content: null, reason: candidate.problem.message })
  throw candidate.problem
}

/**
 * Raises `quarantined` when a rollback that was interrupted is about to leave this generation: an unattended update must
 * not take back what an operator has begun.
 */
export async function refuseLeft(session: Session, ref: GenerationRef): Promise<void> {
  const { run } = await session.readRecord()
  if (run?.command !== 'rollback' || run.phase !== 'forward') return
  if (!isSameGeneration(ref, run.former ?? undefined)) return
  const message = `${run.owner} is going back from ${ref.name} to ${run.target.name} since ${run.startedAt}`
  throw refuse(ref, `${message}, and was interrupted; rollback.mjs finishes that`)
}

async function refuseKnown(session: Session, ref: GenerationRef, manifest: Manifest | null): Promise<void> {
  const record = await session.readRecord()
  const bad = findQuarantine(record, ref, manifest && computeContentDigest(manifest))
  if (bad) {
    const alias = bad.generation.name === ref.name ? '' : ` as ${bad.generation.name}`
    throw refuse(ref, `${ref.name} is quarantined since ${bad.at}${alias}: ${bad.reason}`)
  }
  if (isFrozen(record, ref)) {
    const { since, by } = record.frozen!
    throw refuse(ref, `${ref.name} is frozen since ${since}, when ${by} went back from it`)
  }
}

function refuse(ref: GenerationRef, message: string): LongshoreError {
  return new LongshoreError('quarantined', message, {
    hint: `split a better generation, or serve this one all the same: update-indices.mjs ${ref.name} --force`,
    answer: { generation: ref.name, digest: ref.digest },
  })
}
