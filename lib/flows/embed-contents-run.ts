import type { BatchBounds, Entry } from '../domain/batch.ts'
import { decideAfterFailure, type Sent, type Task } from '../domain/bisect.ts'
import { Suspects } from '../domain/bisect-suspects.ts'
import { Pauses } from '../domain/in-flight-pauses.ts'
import { InFlightWindow, type Success, type WindowOptions } from '../domain/in-flight-window.ts'
import { type EmbeddingServer, EmbedError } from '../ports/embedding-server.ts'
import type { Ledger } from '../ports/ledger.ts'
import { Bell } from './embed-contents-bell.ts'
import type { Clock } from './embed-contents-clock.ts'
import { createCounts, type EmbedCounts } from './embed-contents-counts.ts'
import { explainSilence, explainStop } from './embed-contents-end.ts'
import { Feed } from './embed-contents-feed.ts'
import { LedgerQueue } from './embed-contents-store.ts'

export type RunOptions = {
  readonly source: AsyncIterable<Entry>
  readonly server: EmbeddingServer
  readonly ledger: Pick<Ledger, 'find' | 'append' | 'bury'>
  readonly bounds: BatchBounds
  readonly window: WindowOptions
  readonly signal: AbortSignal
  readonly giveUpMs: number
  readonly drainMs: number
  readonly onProgress: (counts: Readonly<EmbedCounts>) => void
  readonly clock: Clock
  readonly random: () => number
}

/** One run of embedContents. */
export class EmbedRun {
  private readonly options: RunOptions
  private readonly clock: Clock
  private readonly bell: Bell
  private readonly feed: Feed
  private readonly store: LedgerQueue
  private readonly window: InFlightWindow
  private readonly pauses: Pauses
  private readonly suspects = new Suspects()
  private readonly counts = createCounts()
  private readonly begun: { readonly at: number; readonly busyMs: number }
  /** Cuts off the requests that are under way. */
  private readonly requests = new AbortController()
  /** Tasks that failed, to be sent before anything new. */
  private readonly again: Task[] = []
  private sent: Sent = { last: 0, succeeded: 0 }
  /** Tasks that are sent or whose embeddings are not stored yet. */
  private held = 0
  /** Why the run ends before everything is embedded. */
  private end: { readonly error: unknown } | undefined

  constructor(options: RunOptions) {
    const { source, ledger, bounds, clock, window, random } = options
    this.options = options
    this.clock = clock
    this.bell = new Bell(clock)
    this.feed = new Feed({ source, ledger, bounds, bell: this.bell })
    this.store = new LedgerQueue(ledger)
    this.window = new InFlightWindow(window)
    this.pauses = new Pauses(clock.now(), random)
    this.begun = { at: clock.now(), busyMs: clock.busyMs() }
  }

  /** Resolves when everything that the source gives is stored or buried. Raises as embedContents. */
  async complete(): Promise<EmbedCounts> {
    const { signal } = this.options
    const interrupt = () => this.endWith(signal.reason)
    signal.addEventListener('abort', interrupt)
    void this.feed.read()
    try {
      await this.sendAll()
    } catch (error) {
      this.endWith(error)
    } finally {
      signal.removeEventListener('abort', interrupt)
      this.feed.stop()
    }
    await this.drain()
    if (this.end) throw this.end.error
    return this.measure()
  }

  private async sendAll(): Promise<void> {
    while (!this.end) {
      const pauseMs = this.pauses.until - this.clock.now()
      const task = pauseMs > 0 || this.held >= this.countAllowed() ? undefined : this.choose()
      if (task) void this.hold(() => this.send(task))
      else if (this.isDone()) return
      else await this.rest(pauseMs)
    }
  }

  private countAllowed(): number {
    return this.pauses.isTrial ? 1 : this.window.size
  }

  private choose(): Task | undefined {
    if (this.suspects.isTooMany) return this.takeWitness()
    const task = this.again.shift()
    if (task) return task
    const entries = this.feed.take()
    if (entries) return { entries, tries: 0 }
    const isLast = this.feed.isEnded && this.held === 0 && this.suspects.size > 0
    return isLast ? this.suspects.askWitness() : undefined
  }

  /** A witness that is to be sent again, or a new one; undefined while one is under way. */
  private takeWitness(): Task | undefined {
    const at = this.again.findIndex(({ isWitness }) => isWitness)
    return at >= 0 ? this.again.splice(at, 1)[0] : this.suspects.askWitness()
  }

  private isDone(): boolean {
    return this.held === 0 && this.again.length === 0 && this.suspects.size === 0 && this.feed.isEnded
  }

  /** Until anything happens, or a pause is over. */
  private async rest(pauseMs: number): Promise<void> {
    const from = this.clock.now()
    await this.bell.wait(pauseMs > 0 ? pauseMs : undefined)
    if (pauseMs > 0) this.counts.pausedMs += Math.min(pauseMs, this.clock.now() - from)
  }

  /** Keeps the run open while work is under way. Never rejects: what goes wrong ends the run. */
  private async hold(work: () => Promise<void>): Promise<void> {
    this.held++
    this.counts.window = Math.max(this.counts.window, this.held)
    try {
      await work()
    } catch (error) {
      this.endWith(error)
    } finally {
      this.held--
      this.bell.ring()
    }
  }

  private async send(task: Task): Promise<void> {
    const begun = { begunAt: this.clock.now(), inFlight: this.held }
    const number = this.sent.last + 1
    this.sent = { ...this.sent, last: number }
    this.counts.calls++
    try {
      const contents = task.entries.map(({ content }) => content)
      const { vectors, tokens = 0 } = await this.options.server.embed(contents, this.requests.signal)
      this.sent = { ...this.sent, succeeded: Math.max(this.sent.succeeded, number) }
      this.counts.tokens += tokens
      await this.succeed(task, vectors, begun)
    } catch (error) {
      if (!(error instanceof EmbedError)) throw error
      if (!this.end) await this.fail(task, error, begun.begunAt)
    }
  }

  private async succeed(
    task: Task,
    vectors: Float32Array,
    begun: Pick<Success, 'begunAt' | 'inFlight'>,
  ): Promise<void> {
    const { entries } = task
    this.pauses.succeeded(this.clock.now())
    if (task.isWitness) this.suspects.hearWitness()
    else {
      await this.store.append(entries, vectors)
      this.suspects.remember(entries[0])
      this.counts.items += entries.length
      this.feed.release(entries)
    }
    this.window.succeeded({ ...begun, items: entries.length, now: this.clock.now() })
    await this.buryProven()
    this.options.onProgress(this.measure())
  }

  private async buryProven(): Promise<void> {
    for (const { entry, reason } of this.suspects.takeProven(this.sent.succeeded)) {
      await this.store.bury(entry, reason)
      this.counts.dead++
      this.feed.release([entry])
    }
  }

  private async fail(task: Task, error: EmbedError, begunAt: number): Promise<void> {
    const { fault, retryAfterMs } = error
    const now = this.clock.now()
    if (fault === 'overloaded') this.window.overloaded(begunAt, now)
    if (fault === 'overloaded' || fault === 'transient') {
      this.pauses.failed({ fault, begunAt, now, retryAfterMs })
      const silence = explainSilence(error, this.pauses, { now, giveUpMs: this.options.giveUpMs })
      if (silence) throw silence
    }
    const decision = decideAfterFailure(task, fault, this.sent)
    if (decision.action === 'stop') throw explainStop(error, this.suspects.reason)
    if (decision.action === 'suspect') {
      this.suspects.add(decision.task, error.message)
      return await this.buryProven()
    }
    if (decision.action === 'split') this.counts.splits++
    else this.counts.retries++
    if (decision.action === 'split') this.again.push(...decision.halves)
    else this.again.push(decision.task)
    const witness = decision.action === 'ask' ? this.suspects.askWitness() : undefined
    if (witness) this.again.unshift(witness)
  }

  /** The first reason counts. */
  private endWith(error: unknown): void {
    this.end ??= { error }
    this.bell.ring()
  }

  /** Lets requests that are under way end by themselves, for some time. */
  private async drain(): Promise<void> {
    const deadline = this.clock.now() + this.options.drainMs
    while (this.held > 0) {
      const leftMs = deadline - this.clock.now()
      if (leftMs <= 0) this.requests.abort(new Error('the run has ended'))
      await this.bell.wait(leftMs > 0 ? leftMs : undefined)
    }
  }

  private measure(): EmbedCounts {
    const { counts, begun, clock } = this
    counts.known = this.feed.known
    counts.tookMs = clock.now() - begun.at
    counts.busyMs = clock.busyMs() - begun.busyMs
    counts.waitedMs = Math.max(0, counts.tookMs - counts.busyMs - counts.pausedMs)
    return { ...counts }
  }
}
