/** The process that keeps the services of a state directory running: `node agent-main.ts '{"state":...,"entry":...}'`. */
import { lstat, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../files/durable-files.ts'
import { identifyProcess, isDead, type ProcessIdentity } from '../process/process-identity.ts'
import { Agent } from './agent.ts'
import { type AgentSettings, locateSocket } from './agent-protocol.ts'
import { serveAgent } from './agent-server.ts'
import { createNumberedFiles } from './numbered-files.ts'

const SOCKET_CHECK_MS = 2000

const settings = JSON.parse(process.argv[2] ?? '{}') as AgentSettings

if (await becomeTheAgent(settings.state)) await run(new Agent(settings))

async function run(agent: Agent): Promise<void> {
  const socket = locateSocket(agent.settings.state)
  let isEnding = false
  const end = async (forget: boolean) => {
    if (isEnding) return
    isEnding = true
    await agent.stop({ forget })
    await rm(socket, { force: true })
    process.exit(0)
  }
  process.on('SIGTERM', () => end(false))
  process.on('SIGINT', () => end(false))
  await agent.restore()
  await serveAgent(agent, () => end(true))
  const { ino } = await lstat(socket)
  // Without its socket nobody can reach or end it: whoever deletes the state directory wants it gone.
  setInterval(async () => {
    if ((await readInode(socket)) !== ino) await end(false)
  }, SOCKET_CHECK_MS)
}

/** Whether this process is now the one agent of the state directory; false when another one lives. */
async function becomeTheAgent(state: string): Promise<boolean> {
  const files = createNumberedFiles(join(state, 'agent'))
  const newest = await files.readNewest()
  if (newest && !isDead(JSON.parse(newest.text) as ProcessIdentity)) return false
  const number = (newest?.number ?? 0) + 1
  if (!(await files.create(number, JSON.stringify(identifyProcess())))) return false
  await files.removeBelow(number)
  return true
}

async function readInode(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).ino
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}
