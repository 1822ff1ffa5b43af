import { setTimeout as wait } from 'node:timers/promises'
import { LongshoreError } from '../domain/errors.ts'
import { type Fleet, findBlame, findService, findServiceProblem, listServed } from '../domain/fleet.ts'
import { type GenerationRef, isSameGeneration } from '../domain/generation.ts'
import { parseRanges } from '../domain/number-ranges.ts'
import { hasAll } from '../domain/plan-services.ts'
import { GATEWAY, indexServiceName } from '../domain/service.ts'
import type { Session } from './session.ts'

const POLL_MS = 250

/**
 * Watches for the profile's `update.soakSeconds` that every task of the services that serve a generation stays ready
 * and serves it; looks at least once. Raises `remote` with what was seen.
 */
export async function soak(session: Session, generation: GenerationRef): Promise<void> {
  const { orchestrator, profile } = session.context
  const { run } = await session.readRecord()
  const clusters = run?.clusters ? parseRanges(run.clusters) : []
  const end = performance.now() + profile.update.soakSeconds * 1000
  for (;;) {
    const services = await orchestrator.observe(session.signal)
    const missing = findMissing({ nodes: [], services }, generation, clusters)
    if (missing)
      throw new LongshoreError('remote', `${missing} was removed by somebody else`, { blame: 'fleet' })
    const problem = findSoakProblem({ nodes: [], services }, generation)
    if (problem) throw new LongshoreError('remote', problem, { blame: findBlame(services) })
    const left = end - performance.now()
    if (left <= 0) return
    await wait(Math.min(POLL_MS, left), undefined, { signal: session.signal })
  }
}

/** The name of a service without which a generation cannot be answered from. */
function findMissing(
  fleet: Fleet,
  generation: GenerationRef,
  clusters: readonly number[],
): string | undefined {
  if (!findService(fleet, GATEWAY)) return GATEWAY
  const held = fleet.services.filter(({ spec }) => hasAll(spec.generations, [generation]))
  const lacking = clusters.find((cluster) => !held.some(({ spec }) => spec.cluster === cluster))
  return lacking === undefined ? undefined : indexServiceName(lacking)
}

function findSoakProblem(fleet: Fleet, generation: GenerationRef): string | undefined {
  const other = listServed(fleet).find((served) => !isSameGeneration(served, generation))
  if (other) return `a gateway task routes by ${other.name}`
  const serving = fleet.services.filter(({ spec }) => hasAll(spec.generations, [generation]))
  return serving.map(findServiceProblem).find(Boolean)
}
