import { LongshoreError } from '../domain/errors.ts'
import { type Manifest, refOf } from '../domain/manifest.ts'
import type { Copy } from '../domain/plan-verify.ts'
import { isRepairable } from '../domain/plan-verify.ts'
import { renderTable } from '../domain/table.ts'
import type { Answer } from './context.ts'

export type Verified = {
  readonly copies: readonly Copy[]
  readonly manifests: readonly Manifest[]
  /** It only tells what a repair would do. */
  readonly isTrial?: boolean
  /** Further members of the answer. */
  readonly json?: Readonly<Record<string, unknown>>
}

/** What came of it for people and programs. Raises `corrupt` and `partial` as `verify` tells, unless it is a trial. */
export function answerVerified({ copies, manifests, isTrial = false, json: more }: Verified): Answer {
  const json = { generations: manifests.map(refOf), nodes: groupByNode(copies), ...more }
  const bad = copies.filter(isRepairable)
  const lost = copies.filter(({ state }) => state === 'unreachable')
  const text = renderCopies(copies)
  if (isTrial)
    return { outcome: bad.length > 0 ? 'done' : 'nothing-to-do', text, json: { ...json, dryRun: true } }
  if (bad.length > 0) {
    const message = `${bad.length} of ${copies.length} copies are not as their manifests say\n${renderCopies(bad)}`
    throw new LongshoreError('corrupt', message.trimEnd(), { hint: hintFor(bad, more), answer: json })
  }
  if (lost.length > 0) {
    const message = `${lost.length} of ${copies.length} copies could not be read\n${renderCopies(lost)}`
    const hint = 'doctor.mjs looks for the reason; every other copy is sound'
    throw new LongshoreError('partial', message.trimEnd(), { hint, answer: json })
  }
  const repaired = copies.filter((copy) => copy.repaired)
  if (repaired.length === 0) return { outcome: 'nothing-to-do', text, json }
  const nodes = [...new Set(repaired.map(({ node }) => node))].join(', ')
  const remark = `Tasks on ${nodes} hold what they had opened until they start again.`
  return { outcome: 'done', text: `${text}${remark}`, json }
}

function hintFor(bad: readonly Copy[], more: Verified['json']): string {
  const [{ generation }] = bad as [Copy]
  return more === undefined
    ? `verify.mjs ${generation.name} --repair brings them again`
    : 'correct what kept them from being brought again, then run the same command'
}

function groupByNode(copies: readonly Copy[]) {
  const names = [...new Set(copies.map(({ node }) => node))]
  return names.map((name) => ({
    name,
    generations: copies
      .filter(({ node }) => node === name)
      .map(({ node: _node, generation, ...rest }) => ({ name: generation.name, ...rest })),
  }))
}

function renderCopies(copies: readonly Copy[]): string {
  const rows = copies.map(({ node, generation, state, problem, repaired }) => {
    return [node, generation.name, repaired ? 'repaired' : state, problem ?? '']
  })
  return renderTable(rows)
}
