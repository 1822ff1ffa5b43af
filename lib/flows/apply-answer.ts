import { renderDifference } from '../domain/content-difference.ts'
import { describePlan } from '../domain/plan.ts'
import { renderTable } from '../domain/table.ts'
import type { Adjustment } from './apply-prepare.ts'
import type { Answer, FleetContext } from './context.ts'

/** The answer to an apply that has ended: what differed and what was left alone; of a dry run, also its plan. */
export function answerApply({ dryRun, stackFiles }: FleetContext, adjustment: Adjustment): Answer {
  const { plan } = adjustment.changes
  const isEqual = plan.steps.length === 0
  const json = describeAdjustment(adjustment)
  const told = renderChanges(adjustment)
  if (dryRun) {
    const staging = stackFiles.locate('staging')
    const text = `${told}a dry run: nothing was changed; ${staging} tells every service whole\n`
    return {
      outcome: isEqual ? 'nothing-to-do' : 'done',
      plan,
      text,
      json: { ...json, dryRun: true, staging },
    }
  }
  return {
    outcome: isEqual ? 'nothing-to-do' : 'done',
    text: `${told}${renderEnd(adjustment)}\n`,
    json: { ...json, current: stackFiles.locate('current') },
  }
}

/** The members that apply answers with, also when it fails. */
export function describeAdjustment({ served, changes }: Adjustment): Record<string, unknown> {
  const { differences, added, strangers, plan } = changes
  return {
    generation: served.name,
    digest: served.digest,
    differences: differences.map(({ service, path, from, to }) => {
      return { service, path, from: from ?? null, to: to ?? null }
    }),
    added,
    strangers,
    plan: describePlan(plan),
  }
}

/** One line for each key that differs, for each service that comes, and for each that is left alone. */
export function renderChanges({ command, changes, served }: Adjustment): string {
  const stranger =
    command === 'apply'
      ? `runs, and is not declared: left alone; update-indices.mjs ${served.name} removes it`
      : 'runs, and did not before: left alone'
  return renderTable([
    ...changes.added.map((name) => [name, '', 'does not run -> runs']),
    ...changes.differences.map((one) => [one.service, one.path, renderDifference(one)]),
    ...changes.strangers.map((name) => [name, '', stranger]),
  ])
}

function renderEnd({ command, wanted, changes, served }: Adjustment): string {
  const count = changes.plan.steps.length
  const how = command === 'apply' ? 'as the profile declares' : 'as before the last apply'
  const reminder = command === 'apply' ? '' : '; the next update follows the profile again'
  if (count === 0) return `all ${wanted.length} services are ${how} already, serving ${served.name}`
  return `${count} of ${wanted.length} services were changed, and all are ${how}, serving ${served.name}${reminder}`
}
