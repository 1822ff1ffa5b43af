import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLocalOrchestrator } from '../../lib/adapters/local/orchestrator.ts'
import { isDead, type ProcessIdentity } from '../../lib/adapters/process/process-identity.ts'
import type { Task } from '../../lib/domain/service.ts'
import { eventually } from './eventually.ts'
import { ROOT } from './shared.ts'
import { makeTempDir } from './temp.ts'

export const NODES = ['node-1', 'node-2'] as const

const STUB = `${ROOT}test/support/stub-service.ts`
const NEVER = new AbortController().signal
const states: string[] = []

// Whatever happens to a test: no agent outlives this process.
process.on('exit', () => {
  for (const state of states) killAgentOf(state)
})

export type EngineOptions = { readonly graceMs?: number; readonly subdirectory?: string }

/** An engine of its own whose services are stubs, with ways to look behind its back. */
export function makeEngine({ graceMs = 5000, subdirectory = '' }: EngineOptions = {}) {
  const state = join(makeTempDir(), subdirectory, 'state')
  mkdirSync(state, { recursive: true })
  states.push(state)
  const orchestrator = createLocalOrchestrator({ state, entry: STUB, graceMs })
  return {
    state,
    orchestrator,
    readAgentPid: () => readAgent(state)!.pid,
    killAgent: async () => {
      const agent = readAgent(state)!
      killAgentOf(state)
      await eventually(() => {
        if (!isDead(agent)) throw new Error(`agent ${agent.pid} lives`)
      })
    },
    askPid: async (task: Task) =>
      ((await orchestrator.ask(task, '/v1/status', NEVER)) as { pid: number }).pid,
    readEndpoints: (): Record<string, string[] | undefined> =>
      JSON.parse(readFileSync(join(state, 'endpoints.json'), 'utf8')),
  }
}

/** Shuts down every engine that was made here. */
export async function stopEngines(): Promise<void> {
  await Promise.all(
    states.splice(0).map((state) => createLocalOrchestrator({ state, entry: STUB }).shutDown(NEVER)),
  )
}

function killAgentOf(state: string): void {
  const agent = readAgent(state)
  if (agent && !isDead(agent)) process.kill(agent.pid, 'SIGKILL')
}

function readAgent(state: string): ProcessIdentity | undefined {
  try {
    const [name] = readdirSync(join(state, 'agent')).sort().reverse()
    return JSON.parse(readFileSync(join(state, 'agent', name!), 'utf8')) as ProcessIdentity
  } catch {
    return undefined
  }
}
