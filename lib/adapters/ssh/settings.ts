import { LongshoreError } from '../../domain/errors.ts'

/** A machine as sshd is reached on it. */
export type SshNode = {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
}

export type SshSettings = {
  readonly nodes: readonly SshNode[]
  /** File of a private key without a passphrase; the agent's keys alone are tried where left out. */
  readonly identityFile?: string
  /** Socket of an ssh-agent, as in SSH_AUTH_SOCK. */
  readonly agent?: string
  readonly knownHostsFile: string
  /** From the first packet until the node has let us in, in milliseconds. */
  readonly connectTimeoutMs: number
  /** How often a silent node is asked for a sign of life, in milliseconds; after three without one it is lost. */
  readonly keepAliveMs: number
  /** Connections that may be starting at the same time; below the first number of sshd's MaxStartups. */
  readonly maxStarting?: number
  /** Commands that may run on one connection at the same time; at most sshd's MaxSessions. */
  readonly maxChannels?: number
}

/** Nodes by their name. Raises `usage` for a host or user that a program could take for an option. */
export function indexNodes(nodes: readonly SshNode[]): ReadonlyMap<string, SshNode> {
  for (const { name, host, user } of nodes) {
    if (host === '' || user === '' || host.startsWith('-') || user.startsWith('-')) {
      throw new LongshoreError('usage', `node ${name}: "${user}@${host}" is no user and host`, {
        hint: 'neither may be empty or begin with a dash: correct nodes in the profile',
      })
    }
  }
  return new Map(nodes.map((node) => [node.name, node]))
}
