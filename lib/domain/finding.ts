/** What one check of `doctor` found. `fail` would stop an update, `warn` is worth a look. */
export type Finding = {
  readonly check: string
  readonly state: 'ok' | 'warn' | 'fail'
  readonly detail: string
  /** What helps; empty where nothing is needed. */
  readonly hint: string
}

export function ok(check: string, detail: string): Finding {
  return { check, state: 'ok', detail, hint: '' }
}

export function warn(check: string, detail: string, hint: string): Finding {
  return { check, state: 'warn', detail, hint }
}

export function fail(check: string, detail: string, hint: string): Finding {
  return { check, state: 'fail', detail, hint }
}

/** What was found, or that all is well. */
export function orOk(findings: readonly Finding[], check: string, detail: string): Finding[] {
  return findings.length > 0 ? [...findings] : [ok(check, detail)]
}
