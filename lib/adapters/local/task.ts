import type { Worker } from 'node:cluster'
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../../domain/errors.ts'
import type { ServiceSpec, TaskPhase } from '../../domain/service.ts'
import { type AgentSettings, type AgentTask, locateLogs, TaskFailure } from './agent-protocol.ts'
import { readLastWords } from './last-words.ts'
import { probeReadiness } from './probe.ts'
import { createEnvironment, createUrl } from './task-environment.ts'
import { type Ports, readPorts, startProcess } from './task-process.ts'

const STARTING_PROBE_MS = 50
const READY_PROBE_MS = 1000
/** So long do gateways take to hear that a task is no longer listed. */
const UNLISTED_MS = 200
const MOST_MISSES = 3
const FIRST_BACKOFF_MS = 250
const MOST_BACKOFF_MS = 10_000

export type TaskSettings = AgentSettings & {
  readonly id: string
  readonly node: string
  readonly spec: ServiceSpec
  /** Called after each change of what the task tells of itself. */
  readonly onChange: () => void
}

/** One copy of a service: its process, whether it is ready, and, once it is to be kept, a new process after each crash. */
export class Task {
  readonly id: string
  readonly node: string
  readonly #settings: TaskSettings
  readonly #log: string
  readonly #events = new EventEmitter()
  #worker: Worker | undefined
  #logStart = 0
  #phase: TaskPhase = 'starting'
  #problem: string | undefined
  #ports: Ports = { listening: undefined, admin: undefined }
  #isKept = false
  #restart: NodeJS.Timeout | undefined
  #backoffMs = FIRST_BACKOFF_MS
  #readySince = 0
  /** Probes in a row that were not answered. */
  #misses = 0

  constructor(settings: TaskSettings) {
    this.id = settings.id
    this.node = settings.node
    this.#settings = settings
    this.#log = join(locateLogs(settings.state), `${settings.id}.log`)
  }

  get isReady(): boolean {
    return this.#phase === 'ready'
  }

  get isRunning(): boolean {
    return this.#worker !== undefined
  }

  /** Where clients reach it; null unless it is ready and here to stay. */
  get endpoint(): string | null {
    const { listening } = this.#ports
    return this.isReady && this.#isKept && listening !== undefined ? this.#urlOf(listening) : null
  }

  describe(): AgentTask {
    const port = this.#ports.admin ?? this.#ports.listening
    return {
      id: this.id,
      node: this.node,
      state: this.#phase,
      ...(this.#problem !== undefined && { problem: this.#problem }),
      url: port === undefined ? null : this.#ownUrl(port),
    }
  }

  start(): void {
    clearTimeout(this.#restart)
    const { entry, spec } = this.#settings
    this.#ports = { listening: undefined, admin: undefined }
    const { worker, logStart } = startProcess({
      entry,
      kind: spec.kind,
      env: createEnvironment(spec, this.#settings),
      log: this.#log,
    })
    this.#worker = worker
    this.#logStart = logStart
    worker.on('message', (message) => this.#hear(message))
    worker.on('error', (error) => this.#enter(this.#phase, messageOf(error)))
    worker.once('exit', (code, signal) => this.#end(worker, signal ?? `exit code ${code}`))
    // What made the last process end is worth knowing until this one tells something.
    this.#enter('starting', this.#problem)
    void this.#watch(worker)
  }

  /** From now on a new process follows each crash, after a pause that grows. */
  keep(): void {
    this.#isKept = true
    if (!this.isRunning && this.#phase === 'failed') this.#startLater()
    this.#settings.onChange()
  }

  /** Starts a crashed task without waiting for the end of its pause. */
  startNow(): void {
    if (!this.isRunning) this.start()
  }

  /** Resolves when it is ready. Raises {@link TaskFailure} in its own words when it ends, says that it never will be, or `signal` aborts. */
  async waitUntilReady(signal: AbortSignal): Promise<void> {
    while (!this.isReady) {
      if (this.#phase === 'failed') throw new TaskFailure(this.#tell(this.#problem ?? 'failed'))
      try {
        await once(this.#events, 'change', { signal })
      } catch (error) {
        if (!signal.aborted) throw error
        throw new TaskFailure(
          this.#tell(`${messageOf(signal.reason)}: ${this.#problem ?? 'it tells nothing'}`),
        )
      }
    }
  }

  /** Takes it off the list of endpoints, lets it finish what is in flight, and ends it. */
  async stop(): Promise<void> {
    clearTimeout(this.#restart)
    const wasListed = this.endpoint !== null
    this.#isKept = false
    const worker = this.#worker
    if (!worker) return
    this.#enter('draining')
    if (wasListed) await wait(UNLISTED_MS)
    const exit = worker.isDead() ? Promise.resolve() : once(worker, 'exit')
    worker.process.kill('SIGTERM')
    const kill = setTimeout(() => worker.process.kill('SIGKILL'), this.#settings.graceMs)
    await exit
    clearTimeout(kill)
  }

  #hear(message: unknown): void {
    const told = readPorts(message)
    if (!told) return
    this.#ports = {
      listening: told.listening ?? this.#ports.listening,
      admin: told.admin ?? this.#ports.admin,
    }
    this.#announce()
  }

  async #watch(worker: Worker): Promise<void> {
    while (this.#worker === worker) {
      const { url } = this.describe()
      if (url !== null) await this.#probe(worker, url)
      await wait(this.isReady ? READY_PROBE_MS : STARTING_PROBE_MS)
    }
  }

  async #probe(worker: Worker, url: string): Promise<void> {
    const readiness = await probeReadiness(url)
    if (this.#worker !== worker || this.#phase === 'draining') return
    if (!readiness.isReady) {
      // A machine under load may be late to answer; what a task itself says counts at once.
      this.#misses = readiness.code === 'no_answer' ? this.#misses + 1 : MOST_MISSES
      if (this.isReady && this.#misses < MOST_MISSES) return
      // It will not get better by waiting; the process stays, so that it can be asked.
      const isFinal = readiness.code === 'canary_failed' && !this.#isKept
      return this.#enter(isFinal ? 'failed' : 'starting', readiness.message)
    }
    this.#misses = 0
    if (this.#ports.listening === undefined) return this.#enter('starting', 'does not listen yet')
    if (!this.isReady) this.#readySince = performance.now()
    this.#enter('ready')
  }

  #end(worker: Worker, how: string): void {
    if (this.#worker !== worker) return
    const isExpected = this.#phase === 'draining'
    const words = isExpected ? undefined : readLastWords(this.#log, this.#logStart)
    if (this.isReady && performance.now() - this.#readySince > MOST_BACKOFF_MS)
      this.#backoffMs = FIRST_BACKOFF_MS
    this.#worker = undefined
    this.#ports = { listening: undefined, admin: undefined }
    this.#enter('failed', words === undefined ? `ended with ${how}` : `ended with ${how}: ${words}`)
    if (this.#isKept) this.#startLater()
  }

  #startLater(): void {
    clearTimeout(this.#restart)
    this.#restart = setTimeout(() => this.start(), this.#backoffMs)
    this.#backoffMs = Math.min(this.#backoffMs * 2, MOST_BACKOFF_MS)
  }

  #enter(phase: TaskPhase, problem?: string): void {
    if (phase === this.#phase && problem === this.#problem) return
    this.#phase = phase
    this.#problem = problem
    this.#announce()
  }

  #announce(): void {
    this.#events.emit('change')
    this.#settings.onChange()
  }

  #tell(words: string): string {
    return `${this.id} on ${this.node}: ${words}`
  }

  #urlOf(port: number): string {
    return createUrl(this.#settings.spec.settings.HOST ?? '127.0.0.1', port)
  }

  #ownUrl(port: number): string {
    return port === this.#ports.admin ? createUrl('127.0.0.1', port) : this.#urlOf(port)
  }
}
