import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { fingerprintOf, type HostKeyVerdict, nameHost } from './known-hosts.ts'
import type { SshNode, SshSettings } from './settings.ts'

type ShownKey = {
  readonly host: string
  readonly port: number
  readonly key: Buffer
  readonly verdict: HostKeyVerdict
  /** The known_hosts file. */
  readonly file: string
}

/** Why a host with this key is not talked to: `usage` for one that is not known yet, `remote` for a wrong key. */
export function explainHostKey({ host, port, key, verdict, file }: ShownKey): LongshoreError {
  const shown = `${nameHost(host, port)} shows the key ${fingerprintOf(key)}`
  if (verdict.state === 'changed' || verdict.state === 'revoked') {
    const problem = verdict.state === 'changed' ? 'holds another one for it' : 'says is revoked'
    const message = `${shown}, ${verdict.state === 'changed' ? 'but' : 'which'} ${file} line ${verdict.line} ${problem}`
    return new LongshoreError('remote', message, {
      hint: `somebody may be in between; if the machine was really set up anew, check its key there and correct ${file}`,
    })
  }
  return new LongshoreError('usage', `${shown}, which ${file} does not know`, {
    hint: `compare it with what the machine's owner says, then: ssh-keyscan -p ${port} ${host} >> ${file}`,
  })
}

/** Whether sshd hung up before it said anything: it does so when too many log-ins are under way (MaxStartups). */
export function isTurnedAway(error: unknown): boolean {
  if (error instanceof LongshoreError) return false
  return /Connection lost before handshake|ECONNRESET/.test(messageOf(error))
}

/** The error for the operator when a node could not be logged in to. */
export function explainConnectFailure(node: SshNode, settings: SshSettings, cause: unknown): LongshoreError {
  const { name, host, port, user } = node
  if (cause instanceof LongshoreError) {
    const hint = cause.hint === undefined ? {} : { hint: cause.hint }
    return new LongshoreError(cause.kind, `${name}: ${cause.message}`, { ...hint, cause })
  }
  const level = (cause as { level?: string }).level
  if (level === 'client-authentication') {
    const tried = [settings.identityFile, settings.agent && 'the agent'].filter(Boolean).join(' and ')
    return new LongshoreError('remote', `${name}: ${host}:${port} let in no key of ${tried} as ${user}`, {
      hint: `add the public key to authorized_keys of ${user} there, or correct user and ssh.identityFile in the profile`,
      cause,
    })
  }
  const what =
    level === 'client-timeout'
      ? `did not let us in within ${settings.connectTimeoutMs / 1000} s`
      : `cannot be reached (${messageOf(cause)})`
  return new LongshoreError('remote', `${name}: ${host}:${port} ${what}`, {
    hint: `see whether this works: ssh -p ${port} ${user}@${host} true`,
    cause,
  })
}
