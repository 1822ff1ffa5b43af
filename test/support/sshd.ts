import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { SshSettings } from '../../lib/adapters/ssh/settings.ts'
import { eventually } from './eventually.ts'
import { findFreePort } from './free-port.ts'
import { makeTempDir } from './temp.ts'

const SSHD = '/usr/sbin/sshd'

/** A real sshd on a free port of the loopback interface, with keys of its own. */
export type Sshd = {
  readonly port: number
  readonly user: string
  readonly identityFile: string
  readonly knownHostsFile: string
  /** Line of `known_hosts` without the host: type and key. */
  readonly hostKey: string
  /** Public key files of the further host keys that were asked for. */
  readonly extraHostKeys: readonly string[]
  /** Listens again, on the same port, after `stop`. */
  start(): Promise<void>
  /** Ends the listener and every session, with what runs in them. */
  stop(): Promise<void>
  /** Sends a signal to the processes that hold connections, with what runs in them. */
  signalSessions(signal: NodeJS.Signals): void
  /** Sends a signal to what runs in the sessions; the connections live on. */
  signalCommands(signal: NodeJS.Signals): void
  /** Sends a signal to the process that takes connections. */
  signalListener(signal: NodeJS.Signals): void
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const listener of running) kill(listener.pid!, 'SIGKILL')
})

/** Starts Debian's sshd. `options` are further lines of its configuration, `types` those of further host keys. */
export async function startSshd(
  options: readonly string[] = [],
  types: readonly string[] = [],
): Promise<Sshd> {
  if (!existsSync(SSHD)) throw new Error(`${SSHD} is missing: apt-get install openssh-server`)
  const directory = makeTempDir()
  const port = await findFreePort()
  const path = (name: string) => join(directory, name)
  for (const name of ['host_key', 'identity']) makeKey(path(name))
  for (const type of types) makeKey(path(`host_key_${type}`), type)
  const hostKey = readFileSync(path('host_key.pub'), 'utf8').split(' ').slice(0, 2).join(' ')
  writeFileSync(path('known_hosts'), `[127.0.0.1]:${port} ${hostKey}\n`)
  const lines = [
    `ListenAddress 127.0.0.1:${port}`,
    ...['host_key', ...types.map((type) => `host_key_${type}`)].map((name) => `HostKey ${path(name)}`),
    `AuthorizedKeysFile ${path('identity.pub')}`,
    `PidFile ${path('pid')}`,
    // The operator's own start-up files have no part in this.
    `SetEnv HOME=${directory}`,
    ...['StrictModes no', 'UsePAM no', 'PermitRootLogin yes', 'PasswordAuthentication no'],
    ...options,
  ]
  writeFileSync(path('config'), `${lines.join('\n')}\n`)
  mkdirSync('/run/sshd', { recursive: true })
  let listener: ChildProcess | undefined
  const sshd: Sshd = {
    port,
    user: userInfo().username,
    identityFile: path('identity'),
    knownHostsFile: path('known_hosts'),
    hostKey,
    extraHostKeys: types.map((type) => path(`host_key_${type}.pub`)),
    async start() {
      listener = spawn(SSHD, ['-D', '-e', '-f', path('config')], { stdio: 'ignore' })
      running.add(listener)
      await eventually(() => tryPort(port))
    },
    async stop() {
      const stopped = listener
      if (!stopped) return
      listener = undefined
      const gone = new Promise((resolve) => stopped.once('exit', resolve))
      // Listed before any of them ends: what is left of a tree without its root cannot be found.
      for (const pid of [stopped.pid!, ...listDescendants(stopped.pid!)]) kill(pid, 'SIGKILL')
      await gone
      running.delete(stopped)
    },
    signalSessions(signal) {
      for (const pid of listDescendants(listener!.pid!)) kill(pid, signal)
    },
    signalCommands(signal) {
      for (const pid of listDescendants(listener!.pid!)) if (!isSshd(pid)) kill(pid, signal)
    },
    signalListener: (signal) => kill(listener!.pid!, signal),
  }
  await sshd.start()
  return sshd
}

/** Settings that reach this sshd under the names of several nodes. */
export function settingsFor(sshd: Sshd, names: readonly string[] = ['node-1', 'node-2']): SshSettings {
  const { port, user, identityFile, knownHostsFile } = sshd
  return {
    nodes: names.map((name) => ({ name, host: '127.0.0.1', port, user })),
    identityFile,
    knownHostsFile,
    connectTimeoutMs: 10_000,
    keepAliveMs: 5000,
  }
}

/** Makes a key pair without a passphrase at `path` and `path`.pub. */
export function makeKey(path: string, type = 'ed25519'): void {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'test', '-f', path])
}

function tryPort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').once('error', reject)
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
  })
}

/** Ids of the processes that a process has started, and of those that these have. */
function listDescendants(root: number): number[] {
  const parents = new Map<number, number>()
  for (const pid of readdirSync('/proc').map(Number).filter(Boolean)) {
    const parent = readParent(pid)
    if (parent !== undefined) parents.set(pid, parent)
  }
  const found = [root]
  for (const pid of found) {
    for (const [child, parent] of parents) if (parent === pid) found.push(child)
  }
  return found.slice(1)
}

function readParent(pid: number): number | undefined {
  // The name, in parentheses, may hold anything.
  const words = readProcess(pid, 'stat')?.split(') ').at(-1)?.split(' ')
  return words && Number(words[1])
}

function isSshd(pid: number): boolean {
  return readProcess(pid, 'comm')?.trim() === 'sshd'
}

/** What /proc tells of a process; undefined when it has ended. */
function readProcess(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
