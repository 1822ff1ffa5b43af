import { setTimeout as wait } from 'node:timers/promises'
import { countContentBytes } from '../domain/content.ts'
import { LongshoreError, messageOf } from '../domain/errors.ts'
import type { Gallery } from '../ports/gallery-store.ts'
import type { Delivery, WorkQueue } from '../ports/work-queue.ts'
import type { EmbedCounts } from './embed-contents-counts.ts'
import { type ContentParts, type ReadyItem, readyItem } from './ingest-content.ts'
import { addSettled, type WorkCounts } from './ingest-counts.ts'
import { Lane, type LaneModel } from './ingest-lane.ts'
import { parseMessage, type SentItem } from './ingest-message.ts'

export type RoundParts = ContentParts & {
  readonly queue: WorkQueue
  readonly gallery: Gallery
  readonly models: readonly LaneModel[]
  readonly room: Room
  readonly counts: WorkCounts
  /** Told whenever something was settled. */
  readonly onProgress: () => void
}

/** How much a worker holds at a time. */
export type Room = { readonly items: number; readonly bytes: number }

/** A message that is held, and what has become of it. */
export type Job = {
  readonly delivery: Delivery
  readonly sent: SentItem
  readonly ready: ReadyItem
  problem: string | undefined
}

/** Settled messages wait so long for others, so that one writing to disk is enough for all. */
const GATHER_MS = 100
/** Files that are read, and addresses that are asked, at a time. */
const READERS = 16
const PAUSE_MS = 10

/** Works messages off: gets their contents, has every model embed them, adds their items to the gallery, and settles them. */
export class Round {
  /** Messages that are held and not settled, and the bytes of their contents. */
  held = 0
  heldBytes = 0
  readonly #parts: RoundParts
  readonly #lanes: readonly Lane[]
  readonly #stop = new AbortController()
  readonly #runs: Promise<readonly EmbedCounts[]>
  #settled: Job[] = []
  #dead: { readonly delivery: Delivery; readonly reason: string }[] = []
  #writing: Promise<void> | undefined

  constructor(parts: RoundParts) {
    this.#parts = parts
    this.#lanes = parts.models.map((model) => new Lane(model))
    const signal = AbortSignal.any([parts.signal, this.#stop.signal])
    this.#runs = Promise.all(this.#lanes.map((lane) => this.#stopOnFailure(lane.run(signal))))
    // Heard by `complete`, whenever it asks.
    this.#runs.catch(() => undefined)
  }

  /** Aborted once a model or the disk has failed. */
  get failed(): AbortSignal {
    return this.#stop.signal
  }

  /** Ends it: what is under way is stored, and nothing else begun. The first reason counts. */
  fail(error: unknown): void {
    this.#stop.abort(error)
  }

  /** Begins with messages; resolves when their contents are there. */
  async take(deliveries: readonly Delivery[]): Promise<void> {
    this.held += deliveries.length
    const left = deliveries.values()
    const begin = async () => {
      for (const delivery of left) {
        while (this.heldBytes > this.#parts.room.bytes)
          await wait(PAUSE_MS, undefined, { signal: this.failed })
        this.failed.throwIfAborted()
        await this.#begin(delivery)
      }
    }
    await Promise.all(Array.from({ length: READERS }, () => this.#stopOnFailure(begin())))
  }

  /** Until everything that was taken is settled. Raises what went wrong; what was embedded is in the gallery by then. */
  async complete(): Promise<readonly EmbedCounts[]> {
    for (const lane of this.#lanes) lane.end()
    const [runs] = await Promise.allSettled([this.#runs])
    while (this.#writing || this.#settled.length + this.#dead.length > 0) {
      this.#writing ??= this.#write(0)
      await this.#writing
    }
    this.#parts.signal.throwIfAborted()
    this.#stop.signal.throwIfAborted()
    if (runs.status === 'rejected') throw runs.reason
    return runs.value
  }

  async #begin(delivery: Delivery): Promise<void> {
    try {
      const sent = parseMessage(delivery.body)
      const ready = await readyItem(this.#parts, sent)
      this.heldBytes += countContentBytes(ready.content)
      this.#embed({ delivery, sent, ready, problem: undefined })
    } catch (error) {
      this.#parts.signal.throwIfAborted()
      if (!(error instanceof LongshoreError)) throw error
      this.#bury(delivery, messageOf(error))
    }
  }

  #embed(job: Job): void {
    let left = this.#lanes.length
    for (const lane of this.#lanes) {
      lane.add(job.ready, (problem) => {
        job.problem ??= problem
        if (--left === 0) this.#settle(job)
      })
    }
  }

  #settle(job: Job): void {
    this.heldBytes -= countContentBytes(job.ready.content)
    if (job.problem === undefined) this.#settled.push(job)
    else this.#dead.push({ delivery: job.delivery, reason: job.problem })
    this.#writing ??= this.#write(GATHER_MS)
  }

  #bury(delivery: Delivery, reason: string): void {
    this.#dead.push({ delivery, reason })
    this.#writing ??= this.#write(GATHER_MS)
  }

  /** Adds what is settled to the gallery, and only then takes it from the queue. Never rejects: what goes wrong ends the round. */
  async #write(afterMs: number): Promise<void> {
    await wait(afterMs)
    const { gallery, queue, counts, onProgress } = this.#parts
    const [settled, dead] = [this.#settled, this.#dead]
    this.#settled = []
    this.#dead = []
    try {
      await Promise.all(settled.map((job) => keepFile(gallery, job)))
      const additions = await gallery.add(settled.map(describe))
      await queue.settle({ done: settled.map(({ delivery }) => delivery), dead })
      addSettled(counts, settled, { additions, dead: dead.length })
      this.held -= settled.length + dead.length
      onProgress()
    } catch (error) {
      this.fail(error)
    }
    this.#writing = undefined
    if (this.#settled.length + this.#dead.length > 0) this.#writing = this.#write(GATHER_MS)
  }

  async #stopOnFailure<T>(work: Promise<T>): Promise<T> {
    return await work.catch((error: unknown) => {
      this.fail(error)
      throw error
    })
  }
}

/** Before any item stands for it. */
async function keepFile(gallery: Gallery, { ready: { item, content } }: Job): Promise<void> {
  if (content.kind === 'image') await gallery.keepFile(String(item.file), content.bytes)
}

function describe({ delivery, sent, ready }: Job) {
  const { id, version } = sent
  return { id, version, item: ready.item, content: ready.hash, sentAt: delivery.sentAt }
}
