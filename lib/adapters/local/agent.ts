import { rm } from 'node:fs/promises'
import { messageOf } from '../../domain/errors.ts'
import type { ServiceSpec } from '../../domain/service.ts'
import {
  type AgentService,
  type AgentSettings,
  type ChangeState,
  locateEndpoints,
  TaskFailure,
} from './agent-protocol.ts'
import { createEndpointsFile } from './endpoints-file.ts'
import { removeOldLogs } from './old-logs.ts'
import { ServiceRunner } from './service-runner.ts'
import { forgetSpecs, readSpecs, writeSpecs } from './spec-file.ts'
import { Task } from './task.ts'

const MOST_RESULTS = 1000

/**
 * Keeps the services of one state directory running, each changed by one request at a time. Has no network of its
 * own: agent-server.ts puts it on a socket.
 */
export class Agent {
  readonly settings: AgentSettings
  readonly #runners = new Map<string, ServiceRunner>()
  readonly #queues = new Map<string, Promise<void>>()
  readonly #results = new Map<number, ChangeState>()
  readonly #stopping = new AbortController()
  readonly #endpoints: ReturnType<typeof createEndpointsFile>
  #made = 0
  #tickets = 0

  constructor(settings: AgentSettings) {
    this.settings = settings
    this.#endpoints = createEndpointsFile(locateEndpoints(settings.state), () => this.#listEndpoints())
  }

  /** Starts what ran when the last agent ended. */
  async restore(): Promise<void> {
    const { services, made } = await readSpecs(this.settings.state)
    this.#made = made
    await Promise.all(services.map((spec) => this.#runnerOf(spec.name).restore(spec)))
    this.#endpoints.refresh()
  }

  describe(): AgentService[] {
    return [...this.#runners.values()].flatMap((runner) => runner.describe())
  }

  /** Begins to change a service; the number is that of the change, for {@link result}. */
  change(spec: ServiceSpec, deadlineMs: number): number {
    return this.#enqueue(spec.name, async (runner) => {
      const deadline = new AbortController()
      const words = `was not ready within ${deadlineMs / 1000} s`
      const timer = setTimeout(() => deadline.abort(new TaskFailure(words)), deadlineMs)
      try {
        await runner.change(spec, AbortSignal.any([deadline.signal, this.#stopping.signal]))
      } finally {
        clearTimeout(timer)
      }
    })
  }

  remove(service: string): number {
    return this.#enqueue(service, (runner) => runner.remove())
  }

  result(id: number): ChangeState | undefined {
    return this.#results.get(id)
  }

  /** Ends every task gracefully. With `forget` nothing comes back when the next agent starts. */
  async stop({ forget }: { readonly forget: boolean }): Promise<void> {
    this.#stopping.abort(new TaskFailure('the services were shut down'))
    await Promise.all(this.#queues.values())
    await Promise.all([...this.#runners.values()].map((runner) => runner.stop()))
    if (forget) await forgetSpecs(this.settings.state)
    await this.#endpoints.close()
    await rm(locateEndpoints(this.settings.state), { force: true })
  }

  #enqueue(service: string, work: (runner: ServiceRunner) => Promise<void>): number {
    const id = ++this.#tickets
    this.#results.set(id, { state: 'running' })
    this.#results.delete(id - MOST_RESULTS)
    const runner = this.#runnerOf(service)
    const run = async () => {
      this.#stopping.signal.throwIfAborted()
      await work(runner)
      await removeOldLogs(this.settings.state, service, this.#listRunning())
      this.#endpoints.refresh()
      await this.#endpoints.settled()
    }
    const queued = (this.#queues.get(service) ?? Promise.resolve()).then(run).then(
      () => void this.#results.set(id, { state: 'done' }),
      (error: unknown) => {
        console.log(`${new Date().toISOString()} ${service}: ${messageOf(error)}`)
        const hint = error instanceof TaskFailure ? error.hint : undefined
        this.#results.set(id, {
          state: 'failed',
          message: messageOf(error),
          ...(hint !== undefined && { hint }),
        })
      },
    )
    this.#queues.set(service, queued)
    return id
  }

  #runnerOf(service: string): ServiceRunner {
    const found = this.#runners.get(service)
    if (found) return found
    const runner = new ServiceRunner({
      makeTask: (spec, node) => this.#makeTask(spec, node),
      save: () => this.#save(),
      ending: this.#stopping.signal,
    })
    this.#runners.set(service, runner)
    return runner
  }

  #makeTask(spec: ServiceSpec, node: string): Task {
    const id = `${spec.name}.${++this.#made}`
    return new Task({ ...this.settings, id, node, spec, onChange: () => this.#endpoints.refresh() })
  }

  #save(): Promise<void> {
    const services = [...this.#runners.values()].flatMap((runner) => runner.spec ?? [])
    return writeSpecs(this.settings.state, { services, made: this.#made })
  }

  #listRunning(): string[] {
    return this.describe().flatMap(({ tasks }) => tasks.map(({ id }) => id))
  }

  #listEndpoints(): Record<string, string[]> {
    const entries = [...this.#runners].map(([name, runner]) => [name, runner.endpoints] as const)
    return Object.fromEntries(entries.filter(([, urls]) => urls.length > 0))
  }
}
