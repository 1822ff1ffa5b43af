import { LongshoreError } from '../domain/errors.ts'
import type { Finding } from '../domain/finding.ts'
import { renderTable } from '../domain/table.ts'
import type { Answer, FleetContext } from './context.ts'
import { examineFleet } from './examine-fleet.ts'
import { examineGenerations } from './examine-generations.ts'
import { examineSurroundings } from './examine-surroundings.ts'
import { observeFleet } from './observe.ts'

/**
 * Looks for everything that would make an update fail, and changes nothing. Answers with findings; raises `remote` with
 * the same findings when at least one of them would stop an update.
 */
export async function doctor(context: FleetContext): Promise<Answer> {
  const [record, fleet] = await Promise.all([context.state.read(), observeFleet(context)])
  const findings = [
    ...examineFleet(fleet, record, context.profile),
    ...(await examineGenerations(context, fleet, record)),
    ...(await examineSurroundings(context, fleet)),
  ]
  const text = renderFindings(findings)
  const failed = findings.filter(({ state }) => state === 'fail')
  if (failed.length === 0) return { outcome: 'done', text, json: { findings } }
  throw new LongshoreError(
    'remote',
    `${failed.length} of ${findings.length} checks failed\n${text.trimEnd()}`,
    {
      hint: failed[0]?.hint || 'mend what failed, then run doctor.mjs again',
      answer: { findings },
    },
  )
}

function renderFindings(findings: readonly Finding[]): string {
  return renderTable(
    findings.map(({ check, state, detail, hint }) => [
      state,
      check,
      state !== 'ok' && hint ? `${detail}; ${hint}` : detail,
    ]),
  )
}
