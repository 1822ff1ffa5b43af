import { LongshoreError } from '../domain/errors.ts'
import type { Finding } from '../domain/finding.ts'
import { renderTable } from '../domain/table.ts'
import type { Answer, FleetContext } from './context.ts'
import { examineDrift, examineNodes, examineSettings } from './examine-fleet.ts'
import { examineGenerations } from './examine-generations.ts'
import { examineEmbedder, examineLock, examinePort } from './examine-surroundings.ts'
import { lookAtFleet } from './look-at-fleet.ts'

/** Whoever has not answered by then is a finding. An engine gives up a task on a dead node well before. */
const LIMIT_MS = 13_000
const LATE_MS = 2000

/**
 * Looks for everything that would make an update fail, and changes nothing. What cannot be asked is a finding like any
 * other. Answers with findings; raises `remote` with the same findings when at least one of them would stop an update.
 */
export async function doctor(context: FleetContext): Promise<Answer> {
  const findings = await examine(context)
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

async function examine(context: FleetContext): Promise<Finding[]> {
  const { profile } = context
  const [{ nodes, fleet, record, findings, unseen }, lock, embedder] = await Promise.all([
    lookAtFleet(context, LIMIT_MS),
    examineLock(context, LIMIT_MS),
    examineEmbedder(context, LIMIT_MS),
  ])
  return [
    ...examineNodes(nodes, profile),
    ...findings,
    ...unseen,
    ...(fleet && record ? examineDrift(fleet, record) : []),
    ...(await examineGenerations(context, nodes, record)),
    lock,
    ...(fleet ? [await examinePort(context, fleet, LATE_MS)] : []),
    embedder,
    examineSettings(profile),
  ]
}

const STATES = ['fail', 'warn', 'ok']

/** The worst first. */
function renderFindings(findings: readonly Finding[]): string {
  const sorted = findings.toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state))
  return renderTable(
    sorted.map(({ check, state, detail, hint }) => [
      state,
      check,
      state !== 'ok' && hint ? `${detail}; ${hint}` : detail,
    ]),
  )
}
