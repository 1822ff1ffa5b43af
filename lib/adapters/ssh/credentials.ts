import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { type KnownHosts, parseKnownHosts } from './known-hosts.ts'
import type { SshSettings } from './settings.ts'

export type Credentials = {
  readonly knownHosts: KnownHosts
  readonly privateKey?: Buffer
  readonly agent?: string
}

/** What we prove ourselves with and what nodes must prove. Raises `usage` for a file that is missing or of no use. */
export async function readCredentials(settings: SshSettings): Promise<Credentials> {
  const { knownHostsFile, identityFile, agent } = settings
  const knownHosts = parseKnownHosts((await readSetting('ssh.knownHostsFile', knownHostsFile)).toString())
  const privateKey = identityFile === undefined ? undefined : await readIdentity(identityFile, agent)
  if (!privateKey && !agent) {
    throw new LongshoreError('usage', 'there is no key to log in to nodes with', {
      hint: 'set ssh.identityFile in the profile, or start ssh-agent and run ssh-add',
    })
  }
  return { knownHosts, ...(privateKey && { privateKey }), ...(agent !== undefined && { agent }) }
}

/** A private key; nothing when it has a passphrase and the agent can be asked instead. */
async function readIdentity(path: string, agent: string | undefined): Promise<Buffer | undefined> {
  const text = await readSetting('ssh.identityFile', path)
  const key = ssh2.utils.parseKey(text)
  if (!(key instanceof Error)) return text
  if (!/passphrase/i.test(key.message)) {
    throw new LongshoreError('usage', `ssh.identityFile: ${path} is no private key (${key.message})`)
  }
  if (agent !== undefined) return undefined
  throw new LongshoreError('usage', `ssh.identityFile: ${path} has a passphrase`, {
    hint: `start ssh-agent and run: ssh-add ${path}`,
  })
}

async function readSetting(key: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path.startsWith('~/') ? join(homedir(), path.slice(2)) : path)
  } catch (error) {
    throw new LongshoreError('usage', `${key}: ${messageOf(error)}`, {
      hint: `correct ${key} in the profile`,
      cause: error,
    })
  }
}
