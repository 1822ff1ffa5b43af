import { type Finding, orOk, warn } from './finding.ts'

/** Limits of sshd on one node. */
export type SshdReport = { readonly name: string; readonly maxSessions: number; readonly maxStartups: number }

/** What a profile asks of sshd. */
export type SshdNeeds = { readonly maxChannels: number; readonly maxStarting: number }

/** Reads what `sshd -T` prints; null where it says nothing of its limits. MaxStartups is told as `10:30:100`. */
export function parseSshd(name: string, text: string): SshdReport | null {
  const find = (key: string) => Number(new RegExp(`^${key} (\\d+)`, 'im').exec(text)?.[1])
  const report = { name, maxSessions: find('maxsessions'), maxStartups: find('maxstartups') }
  return Number.isNaN(report.maxSessions) || Number.isNaN(report.maxStartups) ? null : report
}

/** Findings on nodes whose sshd turns away what the profile lets us start. */
export function examineSshd(reports: readonly SshdReport[], needs: SshdNeeds): Finding[] {
  if (reports.length === 0) return []
  const findings = reports.flatMap((report) => examineLimits(report, needs))
  return orOk(findings, 'sshd', 'limits allow what ssh.maxChannels and ssh.maxStarting ask for')
}

function examineLimits(report: SshdReport, { maxChannels, maxStarting }: SshdNeeds): Finding[] {
  const { name, maxSessions, maxStartups } = report
  const findings: Finding[] = []
  if (maxSessions < maxChannels) {
    const detail = `sshd of ${name} allows ${maxSessions} sessions on a connection, ssh.maxChannels is ${maxChannels}`
    findings.push(
      warn('sshd', detail, `lower ssh.maxChannels to ${maxSessions}, or raise MaxSessions on ${name}`),
    )
  }
  if (maxStartups < maxStarting) {
    const detail = `sshd of ${name} drops log-ins beyond ${maxStartups} at a time, ssh.maxStarting is ${maxStarting}`
    findings.push(
      warn('sshd', detail, `lower ssh.maxStarting to ${maxStartups}, or raise MaxStartups on ${name}`),
    )
  }
  return findings
}
