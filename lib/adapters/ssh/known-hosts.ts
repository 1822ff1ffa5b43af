import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** A line of a known_hosts file that names a key. */
type Entry = {
  readonly line: number
  readonly isRevoked: boolean
  readonly matches: (host: string) => boolean
  readonly type: string
  readonly key: Buffer
}

/** What known_hosts says of a key that a host has shown; `line` is that of the entry that decided. */
export type HostKeyVerdict =
  | { readonly state: 'known' }
  | { readonly state: 'unknown' }
  | { readonly state: 'changed' | 'revoked'; readonly line: number }

export type KnownHosts = {
  /** Types of the keys that are known of a host, for example `ssh-ed25519`. */
  listTypes(host: string, port: number): string[]
  judge(host: string, port: number, key: Buffer): HostKeyVerdict
}

/** Reads the text of a known_hosts file as sshd(8) describes it; lines of certificate authorities are left out. */
export function parseKnownHosts(text: string): KnownHosts {
  const entries = text.split('\n').flatMap((line, index) => parseLine(line, index + 1))
  const find = (host: string, port: number) => {
    const name = nameHost(host, port)
    return entries.filter((entry) => entry.matches(name))
  }
  return {
    listTypes: (host, port) => find(host, port).flatMap((entry) => (entry.isRevoked ? [] : [entry.type])),
    judge(host, port, key) {
      const found = find(host, port)
      const same = found.filter((entry) => entry.key.equals(key))
      const revoked = same.find((entry) => entry.isRevoked)
      if (revoked) return { state: 'revoked', line: revoked.line }
      if (same.length > 0) return { state: 'known' }
      const other = found.find((entry) => !entry.isRevoked)
      return other ? { state: 'changed', line: other.line } : { state: 'unknown' }
    },
  }
}

/** A host as known_hosts files name it: `host`, or `[host]:port` for any port but 22. */
export function nameHost(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`
}

/** A key's fingerprint as OpenSSH prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

function parseLine(text: string, line: number): Entry[] {
  const words = text.trim().split(/\s+/)
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined
  const [hosts, type, key] = words
  if (!hosts || hosts.startsWith('#') || !type || !key || marker === '@cert-authority') return []
  const matches = hosts.startsWith('|1|') ? matchHash(hosts) : matchPatterns(hosts)
  return [{ line, isRevoked: marker === '@revoked', matches, type, key: Buffer.from(key, 'base64') }]
}

/** `|1|salt|hash`: the HMAC-SHA1 of the host's name. */
function matchHash(text: string): Entry['matches'] {
  const [salt = '', hash = ''] = text.split('|').slice(2)
  const expected = Buffer.from(hash, 'base64')
  return (host) => {
    const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(host).digest()
    return actual.length === expected.length && timingSafeEqual(actual, expected)
  }
}

/** Names with `*` and `?`, separated by commas; a match of one with `!` before it outweighs all others. */
function matchPatterns(text: string): Entry['matches'] {
  const patterns = text.split(',').map((pattern) => ({
    isNegated: pattern.startsWith('!'),
    form: wildcardForm(pattern.replace(/^!/, '').toLowerCase()),
  }))
  return (host) => {
    const hits = patterns.filter(({ form }) => form.test(host))
    return hits.length > 0 && !hits.some(({ isNegated }) => isNegated)
  }
}

function wildcardForm(pattern: string): RegExp {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`)
}
