import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstat, mkdir, open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { hasCode } from '../files/durable-files.ts'
import { pause } from '../process/pause.ts'
import { type AgentFacts, type AgentSettings, locateLogs, locateSocket } from './agent-protocol.ts'
import { createSocketDispatcher, type JsonRequest, readError, requestJson } from './http-json.ts'
import { readLastWords } from './last-words.ts'

const MAIN = fileURLToPath(new URL('./agent-main.ts', import.meta.url))
const REPLY_MS = 10_000
const START_MS = 20_000
const POLL_MS = 50

type AgentRequest = Pick<JsonRequest, 'method' | 'body'> & { readonly signal: AbortSignal }

/** The agent of a state directory, as commands see it. */
export type AgentClient = {
  /** The body of its reply; undefined when no agent is running. Raises `remote` for a reply that is an error. */
  ask(path: string, request: AgentRequest): Promise<unknown>
  /** Starts an agent that outlives this process, unless one is running. Raises `remote` when it does not come up. */
  ensure(signal: AbortSignal): Promise<void>
}

export function createAgentClient(settings: AgentSettings): AgentClient {
  const socketPath = locateSocket(settings.state)
  const dispatcher = createSocketDispatcher(socketPath)
  const ask = async (path: string, { signal, ...request }: AgentRequest): Promise<unknown> => {
    signal.throwIfAborted()
    if (!(await isOurs(socketPath))) return undefined
    try {
      const reply = await requestJson(`http://agent${path}`, {
        ...request,
        signal,
        dispatcher,
        timeoutMs: REPLY_MS,
      })
      if (reply.status < 300) return reply.body
      throw new LongshoreError('remote', `the local agent refuses ${path}: ${readError(reply).message}`)
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ECONNREFUSED')) return undefined
      signal.throwIfAborted()
      if (error instanceof LongshoreError) throw error
      throw new LongshoreError('remote', `the local agent does not answer: ${messageOf(error)}`, {
        hint: `${join(locateLogs(settings.state), 'agent.log')} tells more`,
        cause: error,
      })
    }
  }
  const isUp = async (signal: AbortSignal) =>
    ((await ask('/agent', { signal })) as AgentFacts | undefined) !== undefined
  return {
    ask,
    async ensure(signal) {
      if (await isUp(signal)) return
      const end = performance.now() + START_MS
      let starting = await startAgent(settings)
      while (!(await isUp(signal))) {
        if (starting.exitCode || performance.now() > end) throw describeSilence(settings)
        await pause(POLL_MS, signal)
        // It found another one alive, which may be about to end.
        if (starting.exitCode === 0 && !(await isUp(signal))) starting = await startAgent(settings)
      }
    },
  }
}

/** Starts the process apart from this one: in a session of its own, with a log instead of our terminal. */
async function startAgent({ state, ...rest }: AgentSettings): Promise<ChildProcess> {
  const settings: AgentSettings = { state: resolve(state), ...rest }
  await mkdir(locateLogs(state), { recursive: true })
  const log = await open(join(locateLogs(state), 'agent.log'), 'a', 0o600)
  try {
    const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env
    const agent = spawn(process.execPath, [MAIN, JSON.stringify(settings)], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      // Nothing else of the operator's environment: it may hold secrets, and the agent outlives the session.
      env: { PATH, HOME, TMPDIR },
    })
    await once(agent, 'spawn')
    agent.unref()
    return agent
  } finally {
    await log.close()
  }
}

/** Whether a socket lies there that belongs to this user; one of somebody else's in a shared directory is not asked. */
async function isOurs(path: string): Promise<boolean> {
  try {
    const found = await lstat(path)
    return found.isSocket() && found.uid === process.getuid?.()
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

function describeSilence({ state }: AgentSettings): LongshoreError {
  const log = join(locateLogs(state), 'agent.log')
  const words = readLastWords(log)
  return new LongshoreError('remote', `the local agent did not start${words ? `: ${words}` : ''}`, {
    hint: `${log} tells more`,
  })
}
