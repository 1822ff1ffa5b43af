import * as assert from 'uvu/assert'
import type { Finding } from '../../lib/domain/finding.ts'

/** Asserts that there is a finding like this, and that one which is not ok says what to do next. */
export function assertFound(
  findings: readonly Finding[],
  state: Finding['state'],
  detail: RegExp,
  hint: RegExp = /^/,
): void {
  const found = findings.find((one) => one.state === state && detail.test(one.detail) && hint.test(one.hint))
  assert.ok(found, `no ${state} like ${detail}; ${hint} in ${JSON.stringify(findings, null, 1)}`)
  if (state !== 'ok') assert.ok(found.hint.length > 5, `no hint in ${JSON.stringify(found)}`)
}

/** Asserts that nothing is amiss. */
export function assertSound(findings: readonly Finding[]): void {
  assert.equal(
    findings.filter(({ state }) => state !== 'ok'),
    [],
  )
  assert.ok(findings.length > 0)
}
