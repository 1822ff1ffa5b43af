import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LongshoreError } from '../../domain/errors.ts'
import type { GenerationRef } from '../../domain/generation.ts'
import type { ServiceState, Task } from '../../domain/service.ts'
import type { Orchestrator } from '../../ports/orchestrator.ts'
import { pause } from '../process/pause.ts'
import { isDead } from '../process/process-identity.ts'
import { type AgentClient, createAgentClient } from './agent-client.ts'
import {
  type AgentFacts,
  type AgentService,
  type AgentTask,
  type ChangeState,
  type ChangeTicket,
  locateEndpoints,
} from './agent-protocol.ts'
import { raiseRemote, readError, requestJson } from './http-json.ts'
import { forgetSpecs, readSpecs } from './spec-file.ts'

const SERVICES = fileURLToPath(new URL('../../../services/main.ts', import.meta.url))
const GRACE_MS = 15_000
const POLL_MS = 100
const STATUS_MS = 5000
const ASK_MS = 120_000

export type LocalOrchestratorSettings = {
  /** Directory of what the engine keeps: nodes, logs, the agent's socket. */
  readonly state: string
  /** Script that runs a service, given its kind. */
  readonly entry?: string
  /** How long a task may take to end before it is killed, in milliseconds. */
  readonly graceMs?: number
}

/** Runs services as processes of this machine, kept by an agent process that is started on first need. */
export function createLocalOrchestrator(settings: LocalOrchestratorSettings): Orchestrator {
  const state = resolve(settings.state)
  const agent = createAgentClient({
    state,
    entry: resolve(settings.entry ?? SERVICES),
    graceMs: settings.graceMs ?? GRACE_MS,
  })
  return {
    observe: (signal) => observe(agent, state, signal),
    async change(spec, { signal, deadlineMs }) {
      await agent.ensure(signal)
      const body = { spec, deadlineMs }
      await settle(agent, await agent.ask(`/services/${spec.name}`, { method: 'PUT', body, signal }), signal)
    },
    async remove(service, signal) {
      const services = await observe(agent, state, signal)
      if (!services.some(({ spec }) => spec.name === service)) return
      await agent.ensure(signal)
      await settle(agent, await agent.ask(`/services/${service}`, { method: 'DELETE', signal }), signal)
    },
    ask: (task, path, signal) => askTask(agent, task, path, signal),
    shutDown: (signal) => shutDown(agent, state, signal),
  }
}

/** What is on file when no agent runs: services without tasks. Looking starts nothing. */
async function observe(agent: AgentClient, state: string, signal: AbortSignal): Promise<ServiceState[]> {
  const services = (await agent.ask('/services', { signal })) as AgentService[] | undefined
  if (!services) return (await readSpecs(state)).services.map((spec) => ({ spec, tasks: [] }))
  return Promise.all(
    services.map(async ({ spec, tasks }) => ({
      spec,
      tasks: await Promise.all(tasks.map((task) => observeTask(task, signal))),
    })),
  )
}

async function observeTask({ url, ...task }: AgentTask, signal: AbortSignal): Promise<Task> {
  if (url === null) return { ...task, generations: [] }
  try {
    const reply = await requestJson(`${url}/v1/status`, { timeoutMs: STATUS_MS, signal })
    if (reply.status !== 200) throw new Error(readError(reply).message)
    const { generations = [] } = reply.body as { generations?: GenerationRef[] }
    return { ...task, generations: generations.map(({ name, digest }) => ({ name, digest })) }
  } catch (error) {
    signal.throwIfAborted()
    const problem = `does not answer on its own socket: ${(error as Error).message}`
    return task.state === 'ready'
      ? { ...task, state: 'failed', generations: [], problem }
      : { ...task, generations: [] }
  }
}

/** Waits for a change to end. Raises `remote` in the words of the task that made it fail. */
async function settle(agent: AgentClient, ticket: unknown, signal: AbortSignal): Promise<void> {
  for (;;) {
    const id = (ticket as ChangeTicket | undefined)?.id
    const change = id && ((await agent.ask(`/changes/${id}`, { signal })) as ChangeState | undefined)
    if (!change) {
      throw new LongshoreError('remote', 'the local agent ended in the middle of a change', {
        hint: 'run the same command again: it starts the agent, which starts the services',
      })
    }
    if (change.state === 'done') return
    if (change.state === 'failed') {
      throw new LongshoreError(
        'remote',
        change.message,
        change.hint === undefined ? {} : { hint: change.hint },
      )
    }
    await pause(POLL_MS, signal)
  }
}

async function askTask(agent: AgentClient, task: Task, path: string, signal: AbortSignal): Promise<unknown> {
  const where = `${task.id} on ${task.node}`
  const services = ((await agent.ask('/services', { signal })) ?? []) as AgentService[]
  const found = services.flatMap(({ tasks }) => tasks).find(({ id }) => id === task.id)
  if (!found?.url) throw new LongshoreError('remote', `${where} does not run`)
  const reply = await requestJson(`${found.url}${path}`, { timeoutMs: ASK_MS, signal }).catch((error) =>
    raiseRemote(`${where} does not answer`, error, signal),
  )
  if (reply.status === 200) return reply.body
  throw new LongshoreError('remote', `${where}: ${readError(reply).message} (${reply.status} to ${path})`)
}

async function shutDown(agent: AgentClient, state: string, signal: AbortSignal): Promise<void> {
  const facts = (await agent.ask('/agent', { signal })) as AgentFacts | undefined
  if (facts) await agent.ask('/shutdown', { method: 'POST', signal })
  while (facts && !isDead(facts.process)) {
    await pause(POLL_MS, signal)
  }
  await forgetSpecs(state)
  await rm(locateEndpoints(state), { force: true })
}
