import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { startThread, type Thread } from './thread.ts'
import type { WorkHandlers } from './worker.ts'

const MOST_THREADS = 8
/** MiB of young objects between two collections in a thread; with the usual one, batches of rows cause dozens. */
const YOUNG_MIB = 16

export type WorkThread = Thread<WorkHandlers>

/** Threads that train, write and measure, as many as the machine has processors. */
export class Workers {
  readonly all: readonly [WorkThread, ...WorkThread[]]
  isStopped = false

  constructor() {
    // Read when the memory of a thread is set up, and by no option of a thread: resourceLimits tell the most only.
    setFlagsFromString(`--min-semi-space-size=${YOUNG_MIB}`)
    const start = () => startThread<WorkHandlers>(new URL('./worker.ts', import.meta.url))
    const further = Math.min(MOST_THREADS, availableParallelism()) - 1
    this.all = [start(), ...Array.from({ length: further }, start)]
  }

  /** Does something with the threads; all are stopped when the operator interrupts. */
  async use<T>(signal: AbortSignal, work: (threads: Workers['all']) => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    const stop = () => this.stop()
    signal.addEventListener('abort', stop)
    try {
      return await work(this.all)
    } catch (error) {
      signal.throwIfAborted()
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** Ends all threads at once; what they were asked fails. */
  async stop(): Promise<void> {
    this.isStopped = true
    await Promise.all(this.all.map((thread) => thread.stop()))
  }
}
