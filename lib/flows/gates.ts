import type { Profile } from '../config/schema.ts'
import { queryModelOf } from '../domain/bridge.ts'
import { LongshoreError } from '../domain/errors.ts'
import { computeContentDigest, type Manifest, refOf } from '../domain/manifest.ts'
import type { Model } from '../domain/model.ts'
import type { GateLimits, GateResult } from '../domain/quality.ts'
import { findModelOf } from './declared-models.ts'
import { quarantine } from './quarantine.ts'
import type { Session } from './session.ts'

/**
 * Measures every gate of a generation and shows the results. Raises `gate` when one is not passed, `corrupt` when the
 * files differ from the manifest; either way the digest is quarantined first.
 */
export async function passGates(session: Session, manifest: Manifest): Promise<void> {
  const { reporter } = session.context
  const generation = refOf(manifest)
  const results = await measure(session, manifest)
  reporter.gates(`Gates of ${generation.name}`, results)
  const failed = results.filter(({ passed }) => !passed)
  if (failed.length === 0) return
  const reason = failed.map(describeGate).join('; ')
  await quarantine(session, { generation, content: computeContentDigest(manifest), reason })
  throw new LongshoreError('gate', `${generation.name} is refused: ${reason}`, {
    hint: 'mend the input and split it again; split-index.mjs --repair centroids mends centroids that do not fit',
    answer: { generation: generation.name, digest: generation.digest, gates: results },
  })
}

async function measure(session: Session, manifest: Manifest): Promise<GateResult[]> {
  const { generations, profile, embedder, embedderOf, reporter } = session.context
  const declared = findModelOf(profile, queryModelOf(manifest))
  if (!declared && manifest.bridge) throw refuseUndeclared(manifest.generation, manifest.bridge.model)
  const limits = limitsOf(profile)
  try {
    const gateContext = {
      limits,
      model: declared?.model ?? profile.model,
      embedder: declared ? await embedderOf(declared) : embedder,
      reporter,
      signal: session.signal,
    }
    return await generations.measure(manifest, gateContext)
  } catch (error) {
    // The manifest speaks of sound content, which may come back under another number: only this digest is bad.
    if (error instanceof LongshoreError && error.kind === 'corrupt') {
      await quarantine(session, { generation: refOf(manifest), content: null, reason: error.message })
    }
    throw error
  }
}

function refuseUndeclared(generation: string, { name, version }: Model): LongshoreError {
  return new LongshoreError('usage', `${generation}: its queries are embedded under ${name}@${version}`, {
    hint: 'declare that model under models in the profile',
  })
}

/** What a generation is held against. What must be reached when shards are split must be reached ever after. */
export function limitsOf({ gates, split }: Profile): GateLimits {
  return { ...gates, search: split.searchRecall }
}

function describeGate({ name, measured, limit, detail }: GateResult): string {
  return `${name} is ${Number(measured.toPrecision(4))}, expected ${limit}${detail ? ` (${detail})` : ''}`
}
