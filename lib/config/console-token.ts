import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { LongshoreError, messageOf } from '../domain/errors.ts'
import { hasConsole } from './console-schema.ts'
import type { Profile } from './schema.ts'

/** Shorter ones could be found from their digest, which stands in the settings of a service. */
const SHORTEST = 16

/**
 * The profile in which it is settled whether gateways serve the console, with the digest of its token, which they are told in
 * its stead. Raises `usage`.
 */
export async function settleConsole(profile: Profile): Promise<Profile> {
  const { gateway } = profile
  const enabled = hasConsole(profile)
  const { tokenFile, tokenDigest } = gateway.console
  const token =
    enabled && tokenFile !== undefined && tokenDigest === undefined && (await readConsoleToken(tokenFile))
  const digest = token && { tokenDigest: createHash('sha256').update(token).digest('hex') }
  return { ...profile, gateway: { ...gateway, console: { ...gateway.console, enabled, ...digest } } }
}

/** The token in a file, without the white space around it. Raises `usage` for one that is not there or too short. */
export async function readConsoleToken(tokenFile: string): Promise<string> {
  const fail = (what: string, cause?: unknown) =>
    new LongshoreError('usage', `gateway.console.tokenFile: ${what}`, {
      hint: `(umask 077; openssl rand -hex 24 > ${tokenFile}) makes one`,
      cause,
    })
  const text = await readFile(tokenFile.replace(/^~(?=\/)/, homedir()), 'utf8').catch((error: unknown) => {
    throw fail(`cannot read ${tokenFile}: ${messageOf(error)}`, error)
  })
  const token = text.trim()
  if (/^[\x21-\x7e]+$/.test(token) && token.length >= SHORTEST) return token
  throw fail(`${tokenFile} holds no token; expected ${SHORTEST} or more printable characters without blanks`)
}
