import { setTimeout as wait } from 'node:timers/promises'
import type { Algorithms, ConnectConfig, ServerHostKeyAlgorithm } from 'ssh2'
import ssh2 from 'ssh2'
import { LongshoreError } from '../../domain/errors.ts'
import { explainConnectFailure, explainHostKey, isTurnedAway } from './connect-error.ts'
import { type Credentials, readCredentials } from './credentials.ts'
import { watchSilence } from './keep-alive.ts'
import { makeLean } from './lean-cipher.ts'
import type { SshNode, SshSettings } from './settings.ts'
import { GatheringSocket } from './socket.ts'

/** A node that has let us in. */
export type Connection = {
  readonly client: ssh2.Client
  /** Aborts when the connection is gone, with a `remote` error that says so. */
  readonly lost: AbortSignal
  /** Resolves when what was written has left this process: no more is on the way than the line and the node take. */
  drained(): Promise<void>
}

const FIRST_RETRY_MS = 100
// AES-GCM is the fastest by far where the processor helps with it.
const CIPHERS: NonNullable<Algorithms['cipher']> = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'chacha20-poly1305@openssh.com',
  'aes128-ctr',
  'aes256-ctr',
]
const KEY_TYPES: Record<string, ServerHostKeyAlgorithm[]> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
}

/**
 * Logs in to a node whose key is known. Tries again, at random times, when sshd has too many log-ins under way.
 * Raises `usage` for an unknown host and for keys that cannot be read, `remote` for anything else.
 */
export async function connect(
  node: SshNode,
  settings: SshSettings,
  signal: AbortSignal,
): Promise<Connection> {
  const credentials = await readCredentials(settings)
  const deadline = performance.now() + settings.connectTimeoutMs
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted()
    const timeoutMs = Math.max(1, Math.round(deadline - performance.now()))
    try {
      return await logIn(node, { ...settings, connectTimeoutMs: timeoutMs }, credentials, signal)
    } catch (error) {
      signal.throwIfAborted()
      const pauseMs = Math.random() * FIRST_RETRY_MS * 2 ** attempt
      if (!isTurnedAway(error) || performance.now() + pauseMs > deadline) {
        throw explainConnectFailure(node, settings, error)
      }
      await wait(pauseMs, undefined, { signal })
    }
  }
}

function logIn(
  node: SshNode,
  settings: SshSettings,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<Connection> {
  const client = new ssh2.Client()
  const socket = new GatheringSocket()
  const lost = new AbortController()
  const stop = () => socket.destroy()
  return new Promise<Connection>((resolve, reject) => {
    client.on('handshake', () => makeLean(client))
    client.on('ready', () => {
      signal.removeEventListener('abort', stop)
      watchSilence(socket, settings.keepAliveMs)
      resolve({ client, lost: lost.signal, drained: () => socket.drained() })
    })
    client.on('error', (error) => {
      // An agent that does not answer only means that its keys cannot be tried.
      if ((error as { level?: string }).level === 'agent') return
      lost.abort(explainLoss(node, error))
      reject(error)
    })
    client.on('close', () => {
      signal.removeEventListener('abort', stop)
      lost.abort(explainLoss(node))
      reject(new Error('Connection lost before handshake'))
    })
    signal.addEventListener('abort', stop, { once: true })
    client.connect({ ...configure(node, settings, credentials, reject), sock: socket })
    socket.connectTo(node.port, node.host)
  })
}

function configure(
  { host, port, user }: SshNode,
  settings: SshSettings,
  { knownHosts, privateKey, agent }: Credentials,
  refuse: (error: LongshoreError) => void,
): ConnectConfig {
  const hostVerifier = (key: Buffer) => {
    const verdict = knownHosts.judge(host, port, key)
    if (verdict.state === 'known') return true
    refuse(explainHostKey({ host, port, key, verdict, file: settings.knownHostsFile }))
    return false
  }
  // A node shows the first type that we name and it has: the ones that are known of it come first.
  const known = knownHosts.listTypes(host, port).flatMap((type) => KEY_TYPES[type] ?? [])
  const serverHostKey = [...new Set([...known, ...Object.values(KEY_TYPES).flat()])]
  return {
    username: user,
    hostVerifier,
    readyTimeout: settings.connectTimeoutMs,
    keepaliveInterval: settings.keepAliveMs,
    // What silence means is decided in `watchSilence`: an answer may wait behind megabytes of ours.
    keepaliveCountMax: Number.POSITIVE_INFINITY,
    algorithms: { cipher: CIPHERS, compress: ['none'], serverHostKey },
    authHandler: [...(privateKey ? (['publickey'] as const) : []), ...(agent ? (['agent'] as const) : [])],
    ...(privateKey && { privateKey }),
    ...(agent !== undefined && { agent }),
  }
}

function explainLoss({ name, host, port }: SshNode, cause?: Error): LongshoreError {
  const why = cause ? ` (${cause.message})` : ''
  return new LongshoreError('remote', `${name}: the connection to ${host}:${port} was lost${why}`, {
    hint: `run the same command again once ${name} can be reached: it continues`,
    cause,
  })
}
