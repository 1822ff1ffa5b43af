import { hasCode } from '../../lib/adapters/files/durable-files.ts'
import type { Frame } from '../../lib/adapters/relay/frames.ts'
import type { Order, Report } from '../../lib/adapters/relay/protocol.ts'
import { LongshoreError, messageOf } from '../../lib/domain/errors.ts'
import { Bringing, type OrderOf } from './bringing.ts'
import { discardPartial } from './partial-directory.ts'

export type RelayOptions = {
  /** The directory of the generations. */
  readonly dataDirectory: string
  readonly orders: AsyncIterable<Frame<Order>>
  readonly tell: (report: Report) => void
}

/**
 * Does what it is told until it is told to end or there are no more orders. Raises what it cannot go on after, once it
 * has told it as `broken`; when there is no room, it has deleted what it brought.
 */
export async function runRelay(options: RelayOptions): Promise<void> {
  const relay = new Relay(options)
  try {
    await Promise.race([relay.obeyAll(options.orders), relay.failure])
  } catch (error) {
    await relay.stop()
    if (hasCode(error, 'ENOSPC', 'EDQUOT')) await relay.discard()
    const { code = null, syscall } = error as NodeJS.ErrnoException
    options.tell({ told: 'broken', problem: messageOf(error), code })
    // What the system refuses is the node's trouble, and no bug.
    const isRefused = syscall !== undefined || code === 'ENOSPC'
    throw isRefused ? new LongshoreError('remote', messageOf(error), { cause: error }) : error
  }
}

class Relay {
  readonly #options: RelayOptions
  readonly #failed = Promise.withResolvers<never>()
  readonly #stopped = new AbortController()
  /** What goes on beside the orders that come. */
  readonly #running = new Set<Promise<void>>()
  #generation: string | undefined
  #bringing: Promise<Bringing> | undefined

  constructor(options: RelayOptions) {
    this.#options = options
  }

  /** Rejects with what the relay cannot go on after. */
  get failure(): Promise<never> {
    return this.#failed.promise
  }

  async obeyAll(orders: AsyncIterable<Frame<Order>>): Promise<void> {
    for await (const { header, body } of orders) {
      if (header.do === 'end' || this.#stopped.signal.aborted) return
      await this.#obey(header, body)
    }
  }

  /** Resolves when nothing goes on any more. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    // Where it could not even begin, that is what the relay stops for.
    const bringing = await this.#bringing?.catch(() => undefined)
    await bringing?.close()
    await Promise.all(this.#running)
  }

  async discard(): Promise<void> {
    if (this.#generation) await discardPartial(this.#options.dataDirectory, this.#generation)
  }

  /** Resolves when the next order may come; what takes longer goes on beside. */
  async #obey(order: Exclude<Order, { do: 'end' }>, body: Buffer): Promise<void> {
    if (order.do === 'stay') return
    if (order.do === 'begin') return this.#begin(order)
    const bringing = await this.#bringing
    if (!bringing) throw new LongshoreError('usage', `"${order.do}" came before "begin"`)
    switch (order.do) {
      case 'put':
        // What comes is bounded by what is told to have been written.
        this.#run(bringing.put(order, body))
        return
      case 'fetch':
        this.#run(bringing.fetch(order))
        return
      case 'limit':
        return bringing.limit(order)
      case 'rebuild':
        this.#run(this.#rebuild(order, body))
        return
      default:
        throw new LongshoreError('usage', `${JSON.stringify(order)} is no order`)
    }
  }

  #begin(order: OrderOf<'begin'>): void {
    const former = this.#bringing
    const begin = async () => {
      await (await former)?.close()
      await Promise.all(this.#running)
      this.#generation = order.generation
      return Bringing.begin(order, {
        dataDirectory: this.#options.dataDirectory,
        tell: this.#options.tell,
        fail: this.#failed.reject,
        signal: this.#stopped.signal,
      })
    }
    this.#bringing = begin()
    this.#bringing.catch(this.#failed.reject)
  }

  async #rebuild(order: OrderOf<'rebuild'>, body: Buffer): Promise<void> {
    const { dataDirectory, tell } = this.#options
    // Loaded only where it is needed, so that a relay is ready soon.
    const { rebuild } = await import('./rebuild.ts')
    const task = { ...order, dataDirectory, generation: this.#generation!, manifest: body.toString() }
    tell({ told: 'rebuilt', files: await rebuild(task, this.#stopped.signal) })
  }

  /** Resolves when the work has ended, one way or the other. */
  #run(work: Promise<void>): Promise<void> {
    const running = work.catch(this.#failed.reject).finally(() => this.#running.delete(running))
    this.#running.add(running)
    return running
  }
}
