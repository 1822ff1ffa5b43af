import { constants } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import type { ClientChannel } from 'ssh2'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { RunOptions, RunResult } from '../../ports/remote-shell.ts'
import type { Connection } from './connect.ts'
import { quoteArgv } from './quote.ts'
import { unlessAborted } from './unless-aborted.ts'

/** How long a command may take to obey before it is killed. */
const OBEY_MS = 2000
const START_RETRIES = 8
const FIRST_RETRY_MS = 20
// Signals sent through the channel reach no command of root's, so the command tells where a `kill` finds it: sshd
// makes every command the leader of a process group.
const WRAPPER = 'echo "longshore-group $$" >&2; exec "$@"'
const GROUP = /longshore-group (\d+)\n/

/** A command under way. */
type Command = {
  readonly channel: ClientChannel
  /** Resolves when the channel has closed: to the exit code, or to null when none came. */
  readonly ended: Promise<number | null>
  /** Resolves to the id of its process group. */
  readonly group: Promise<string>
  readonly stdout: () => string
  readonly stderr: () => string
}

/** Runs a program on a node. Raises the reason of `signal`, which also ends the program and all that it started. */
export async function runCommand(
  { client, lost, drained }: Connection,
  argv: readonly string[],
  { stdin = '', signal, onStdout }: Omit<RunOptions, 'timeoutMs'>,
): Promise<RunResult> {
  const stop = AbortSignal.any([signal, lost])
  const line = `exec ${quoteArgv(['sh', '-c', WRAPPER, 'sh', ...argv])}`
  const opened = startCommand(client, line, onStdout)
  const command = await unlessAborted(opened, stop).catch((error: unknown) => {
    opened.then((late) => endCommand(client, late)).catch(() => undefined)
    throw error
  })
  try {
    const [code] = await unlessAborted(Promise.all([command.ended, feed(command, stdin, drained)]), stop)
    return { code: code ?? raise(lost), stdout: command.stdout(), stderr: command.stderr() }
  } catch (error) {
    await endCommand(client, command)
    throw error
  }
}

/** Starts a line in a shell. Tries again while sshd has not yet forgotten the commands that ended before it. */
async function startCommand(
  client: Connection['client'],
  line: string,
  onStdout?: RunOptions['onStdout'],
): Promise<Command> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await openCommand(client, line, onStdout)
    } catch (cause) {
      if (!isOpenFailure(cause) || attempt === START_RETRIES) {
        throw new LongshoreError('remote', `no command can be started (${messageOf(cause)})`, {
          hint: 'lower ssh.maxChannels in the profile, or raise MaxSessions in sshd_config there',
          cause,
        })
      }
      await wait(Math.random() * FIRST_RETRY_MS * 2 ** attempt)
    }
  }
}

function openCommand(
  client: Connection['client'],
  line: string,
  onStdout: RunOptions['onStdout'],
): Promise<Command> {
  return new Promise((resolve, reject) => {
    // Followed at once: all that a short command says may come with the packet that opens its channel.
    client.exec(line, (error, channel) => (error ? reject(error) : resolve(followCommand(channel, onStdout))))
  })
}

/** Whether a channel was refused, so that nothing has been started. */
function isOpenFailure(error: unknown): boolean {
  return error instanceof Error && 'reason' in error
}

function followCommand(channel: ClientChannel, onStdout: RunOptions['onStdout']): Command {
  const stdout = onStdout ? pass(channel, onStdout) : collect(channel)
  const stderr = collect(channel.stderr)
  const group = new Promise<string>((resolve) => {
    channel.stderr.on('data', () => {
      const [, id] = GROUP.exec(stderr()) ?? []
      if (id !== undefined) resolve(id)
    })
  })
  return { channel, ended: readExit(channel), group, stdout, stderr: () => stderr().replace(GROUP, '') }
}

function readExit(channel: ClientChannel): Promise<number | null> {
  return new Promise((resolve) => {
    let code: number | null = null
    channel.on('exit', (exitCode: number | null, signal?: NodeJS.Signals) => {
      code = exitCode ?? 128 + (signal === undefined ? 0 : (constants.signals[signal] ?? 0))
    })
    channel.on('close', () => resolve(code))
  })
}

function pass(stream: NodeJS.ReadableStream, onStdout: (block: Uint8Array) => void): () => string {
  stream.on('data', onStdout)
  return () => ''
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const blocks: Buffer[] = []
  stream.on('data', (block: Buffer) => blocks.push(block))
  return () => Buffer.concat(blocks).toString()
}

/** Writes to the command for as long as it is there, never more than the line takes. */
async function feed(
  { channel, ended }: Command,
  stdin: AsyncIterable<Uint8Array> | string,
  drained: Connection['drained'],
): Promise<void> {
  if (typeof stdin === 'string') {
    channel.end(stdin)
    return
  }
  const blocks = stdin[Symbol.asyncIterator]()
  const { unlessEnded, isOver } = watchEnd(ended)
  try {
    for (;;) {
      const next = await unlessEnded(blocks.next())
      if (isOver()) return
      if (next?.done) break
      await unlessEnded(new Promise((resolve) => channel.write(next!.value, resolve)))
      await unlessEnded(drained())
    }
    channel.end()
  } finally {
    // Not waited for: it may be waiting itself for something to write.
    blocks.return?.()?.catch(() => undefined)
  }
}

/** Lets one wait at a time for something, or for the end. Nothing of a wait stays behind, however many there are. */
function watchEnd(ended: Promise<unknown>) {
  let isOver = false
  let wake: () => void = () => undefined
  ended.then(() => {
    isOver = true
    wake()
  })
  const unlessEnded = <T>(promise: Promise<T>) =>
    new Promise<T | undefined>((resolve, reject) => {
      wake = () => resolve(undefined)
      if (isOver) wake()
      promise.then(resolve, reject)
    })
  return { unlessEnded, isOver: () => isOver }
}

/** Asks a command to end, then makes it, then leaves it alone with its channel closed. */
async function endCommand(client: Connection['client'], { channel, ended, group }: Command): Promise<void> {
  for (const name of ['TERM', 'KILL']) {
    // Where this fails too, the connection is gone or the time is up.
    group.then((id) => startCommand(client, `kill -${name} -- -${id}`)).catch(() => undefined)
    const isOver = await Promise.race([ended.then(() => true), wait(OBEY_MS, false, { ref: false })])
    if (isOver) return
  }
  channel.close()
}

function raise(lost: AbortSignal): never {
  throw lost.aborted ? lost.reason : new LongshoreError('remote', 'the command ended without an exit code')
}
