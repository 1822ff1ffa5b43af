import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { LongshoreError } from '../../domain/errors.ts'
import type { RouterProcess } from '../../ports/traffic-router.ts'
import { hasCode, writeDurably } from '../files/durable-files.ts'
import { readLastWords } from '../local/last-words.ts'
import { pause } from '../process/pause.ts'
import { identifyProcess, isDead, type ProcessIdentity } from '../process/process-identity.ts'

export type RouterProcessSettings = {
  /** Directory of routes, token and log. */
  readonly directory: string
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
  /** Requests that are kept to compare with. */
  readonly recent: number
}

const MAIN = fileURLToPath(new URL('../../../services/main.ts', import.meta.url))
const START_MS = 60_000
const STOP_MS = 30_000
const POLL_MS = 50

/** The file of the token below the directory of a router. */
export function locateToken(directory: string): string {
  return join(directory, 'token')
}

/** A router of this machine that outlives the command; a second start finds the first. */
export function createRouterProcess(settings: RouterProcessSettings): RouterProcess {
  const directory = resolve(settings.directory)
  const url = `http://${settings.host}:${settings.port}`
  const pidFile = join(directory, 'process.json')
  const log = join(directory, 'router.log')
  const findRunning = async () => {
    const identity = await readIdentity(pidFile)
    return identity && !isDead(identity) ? identity : undefined
  }
  return {
    isRunning: async () => (await findRunning()) !== undefined,
    async start(signal) {
      if (await findRunning()) return { url, isNew: false }
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await makeToken(locateToken(directory))
      const child = await spawnRouter(settings, { directory, log })
      await writeDurably(pidFile, JSON.stringify(identifyProcess(child.pid)))
      const end = performance.now() + START_MS
      while (!(await isUp(url, child.pid!))) {
        if (child.exitCode !== null || performance.now() > end) {
          if (child.exitCode === null) child.kill()
          throw new LongshoreError('remote', `the router did not start: ${readLastWords(log)}`, {
            hint: `${log} tells more; router.port in the profile names its port`,
          })
        }
        await pause(POLL_MS, signal)
      }
      return { url, isNew: true }
    },
    async stop(signal) {
      const running = await findRunning()
      if (!running) return false
      process.kill(running.pid, 'SIGTERM')
      const end = performance.now() + STOP_MS
      while (!isDead(running)) {
        if (performance.now() > end)
          throw new LongshoreError('remote', `the router ${running.pid} does not end`)
        await pause(POLL_MS, signal)
      }
      await rm(pidFile, { force: true })
      return true
    },
  }
}

async function makeToken(path: string): Promise<void> {
  try {
    await readFile(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
    await writeDurably(path, `${randomBytes(24).toString('hex')}\n`)
  }
}

async function spawnRouter(
  { host, port, timeoutMs, recent }: RouterProcessSettings,
  { directory, log }: { readonly directory: string; readonly log: string },
) {
  const output = await open(log, 'a', 0o600)
  try {
    const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env
    const child = spawn(process.execPath, [MAIN, 'router'], {
      ...{ cwd: '/', detached: true, stdio: ['ignore', output.fd, output.fd] },
      env: {
        ...{ PATH, HOME, TMPDIR },
        ...{ HOST: host, PORT: String(port), TIMEOUT_MS: String(timeoutMs), RECENT: String(recent) },
        ...{ ROUTES: join(directory, 'routes.json'), TOKEN_FILE: locateToken(directory) },
      },
    })
    child.unref()
    return child
  } finally {
    await output.close()
  }
}

/** Whether it is this very process that answers there, not one that had the port before. */
async function isUp(url: string, pid: number): Promise<boolean> {
  try {
    const reply = await request(`${url}/v1/status`, { headersTimeout: 5_000 })
    const status = (await reply.body.json()) as { task?: unknown }
    return status.task === `router-${pid}`
  } catch {
    return false
  }
}

async function readIdentity(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessIdentity
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}
