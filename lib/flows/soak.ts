import { setTimeout as wait } from 'node:timers/promises'
import { LongshoreError } from '../domain/errors.ts'
import { type Fleet, findServiceProblem, listServed } from '../domain/fleet.ts'
import { type GenerationRef, isSameGeneration } from '../domain/generation.ts'
import { hasAll } from '../domain/plan-services.ts'
import type { Session } from './session.ts'

const POLL_MS = 250

/**
 * Watches for the profile's `update.soakSeconds` that every task of the services that serve a generation stays ready
 * and serves it; looks at least once. Raises `remote` with what was seen.
 */
export async function soak(session: Session, generation: GenerationRef): Promise<void> {
  const { orchestrator, profile } = session.context
  const end = performance.now() + profile.update.soakSeconds * 1000
  for (;;) {
    const services = await orchestrator.observe(session.signal)
    const problem = findSoakProblem({ nodes: [], services }, generation)
    if (problem) throw new LongshoreError('remote', problem)
    const left = end - performance.now()
    if (left <= 0) return
    await wait(Math.min(POLL_MS, left), undefined, { signal: session.signal })
  }
}

function findSoakProblem(fleet: Fleet, generation: GenerationRef): string | undefined {
  const other = listServed(fleet).find((served) => !isSameGeneration(served, generation))
  if (other) return `a gateway task routes by ${other.name}`
  const serving = fleet.services.filter(({ spec }) => hasAll(spec.generations, [generation]))
  return serving.map(findServiceProblem).find(Boolean)
}
