import { canonicalJson } from '../../domain/canonical-json.ts'
import { messageOf } from '../../domain/errors.ts'
import type { ServiceSpec } from '../../domain/service.ts'
import { type AgentService, TaskFailure } from './agent-protocol.ts'
import { assertPortFree, waitForPort } from './port-check.ts'
import type { Task } from './task.ts'

export type RunnerSettings = {
  readonly makeTask: (spec: ServiceSpec, node: string) => Task
  /** Puts what the service now is on file. */
  readonly save: () => Promise<void>
  /** Aborts when the agent ends. */
  readonly ending: AbortSignal
}

const BACK_MS = 60_000

/** One service: its spec and its tasks. Its methods that change it must not overlap. */
export class ServiceRunner {
  readonly #settings: RunnerSettings
  #spec: ServiceSpec | null = null
  #tasks: readonly Task[] = []
  /** Tasks of a spec that is being tried, or of one that is being left. */
  #others: readonly Task[] = []

  constructor(settings: RunnerSettings) {
    this.#settings = settings
  }

  get spec(): ServiceSpec | null {
    return this.#spec
  }

  /** Where its clients reach it. */
  get endpoints(): string[] {
    return this.#tasks.flatMap((task) => task.endpoint ?? [])
  }

  describe(): AgentService[] {
    const tasks = [...this.#tasks, ...this.#others].map((task) => task.describe())
    return this.#spec ? [{ spec: this.#spec, tasks }] : []
  }

  /** Starts what was running when the agent ended. */
  async restore(spec: ServiceSpec): Promise<void> {
    if (spec.port) await waitForPort(hostOf(spec), spec.port)
    this.#spec = spec
    this.#tasks = this.#startTasks(spec)
    for (const task of this.#tasks) task.keep()
  }

  /**
   * Replaces all tasks by those of `spec`. The former ones serve until every new one is ready, unless they have to end
   * first; when a new one fails or `signal` aborts, the new ones are stopped, the former spec stands, and TaskFailure
   * is raised.
   */
  async change(spec: ServiceSpec, signal: AbortSignal): Promise<void> {
    if (this.#spec && canonicalJson(this.#spec) === canonicalJson(spec)) return this.#repair(signal)
    if (spec.port && !this.#holdsPort(spec)) await assertPortFree(hostOf(spec), spec.port)
    if (spec.order === 'stop-first') await this.#stopTasks()
    const fresh = this.#startTasks(spec)
    this.#others = fresh
    try {
      await Promise.all(fresh.map((task) => task.waitUntilReady(signal)))
    } catch (error) {
      await this.#leave(fresh)
      if (this.#spec && spec.order === 'stop-first') await this.#putBack(this.#spec, error)
      throw error
    }
    const former = this.#tasks
    this.#spec = spec
    this.#tasks = fresh
    this.#others = former
    await this.#settings.save()
    for (const task of fresh) task.keep()
    await this.#leave(former)
  }

  async remove(): Promise<void> {
    const former = this.#tasks
    this.#spec = null
    await this.#settings.save()
    await this.#leave(former)
    this.#tasks = []
  }

  /** Stops every task, also those that a change is about to bring; what is on file stays. */
  async stop(): Promise<void> {
    await this.#leave([...this.#tasks, ...this.#others])
  }

  async #repair(signal: AbortSignal): Promise<void> {
    for (const task of this.#tasks) task.startNow()
    await Promise.all(this.#tasks.map((task) => task.waitUntilReady(signal)))
  }

  async #stopTasks(): Promise<void> {
    const former = this.#tasks
    this.#tasks = []
    this.#others = former
    await this.#leave(former)
  }

  /** Raises TaskFailure, telling both reasons, when the former tasks do not become ready again either. */
  async #putBack(former: ServiceSpec, reason: unknown): Promise<void> {
    if (this.#settings.ending.aborted) return
    this.#tasks = this.#startTasks(former)
    for (const task of this.#tasks) task.keep()
    const signal = AbortSignal.any([AbortSignal.timeout(BACK_MS), this.#settings.ending])
    try {
      await Promise.all(this.#tasks.map((task) => task.waitUntilReady(signal)))
    } catch (error) {
      throw new TaskFailure(`${messageOf(reason)}; it could not be put back: ${messageOf(error)}`)
    }
  }

  async #leave(tasks: readonly Task[]): Promise<void> {
    await Promise.all(tasks.map((task) => task.stop()))
    this.#others = []
  }

  #holdsPort(spec: ServiceSpec): boolean {
    const former = this.#spec
    const isSame = former !== null && former.port === spec.port && hostOf(former) === hostOf(spec)
    return isSame && this.#tasks.some((task) => task.isRunning)
  }

  #startTasks(spec: ServiceSpec): Task[] {
    return Array.from({ length: spec.replicas }, (_, replica) => {
      const task = this.#settings.makeTask(spec, spec.nodes[replica % spec.nodes.length]!)
      task.start()
      return task
    })
  }
}

function hostOf(spec: ServiceSpec): string {
  return spec.settings.HOST ?? '127.0.0.1'
}
