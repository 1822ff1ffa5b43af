import { type Finding, fail, orOk, warn } from './finding.ts'
import { findHandEdits } from './hand-edits.ts'
import type { Making } from './swarm-making.ts'

/** Findings on services that anybody changed beside Longshore, or in whose update the Swarm stopped. */
export function examineMakings(makings: readonly Making[]): Finding[] {
  if (makings.length === 0) return []
  return orOk(makings.flatMap(examineMaking), 'change', 'every service is as Longshore made it')
}

/** Findings on services whose tasks count as ready before they are. */
export function examineHealthChecks(makings: readonly Making[]): Finding[] {
  if (makings.length === 0) return []
  return orOk(
    makings.filter(({ actual }) => !hasHealthCheck(actual)).map(({ name }) => describeBlind(name)),
    'health',
    'every service has a health check',
  )
}

function examineMaking({ name, made, isKnown, actual, paused }: Making): Finding[] {
  const hint = 'put what you want into the profile: apply.mjs, or the next update of the service, writes that'
  if (!isKnown || made === null) {
    const label = isKnown ? 'longshore.made' : 'longshore.spec'
    return [warn('change', `somebody took the label ${label} off the service ${name}`, hint)]
  }
  const edits = findHandEdits(made, actual).map((edit) =>
    warn('change', `somebody changed the service ${name}: ${edit}`, hint),
  )
  if (paused === null) return edits
  const detail = `the Swarm stopped in the middle of an update of ${name}: ${paused}`
  return [warn('change', detail, 'update-indices.mjs or rollback.mjs writes it anew'), ...edits]
}

/** An image may bring a health check of its own, but `NONE` turns it off. */
function hasHealthCheck({ TaskTemplate }: Making['actual']): boolean {
  const [kind] = TaskTemplate.ContainerSpec?.Healthcheck?.Test ?? []
  return kind !== undefined && kind !== 'NONE'
}

function describeBlind(name: string): Finding {
  const detail = `the service ${name} has no health check: its tasks count as ready before they have loaded`
  return fail('health', detail, 'apply.mjs gives it back what the profile says')
}
