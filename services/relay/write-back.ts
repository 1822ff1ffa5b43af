import { setTimeout as wait } from 'node:timers/promises'
import { hasCode, syncFile } from '../../lib/adapters/files/durable-files.ts'

const PAUSE_MS = 250

/**
 * Has the disk take what was written while more comes: a file that is complete has to be on the disk before it gets its
 * name, and waiting for all of it then would take as long as writing it.
 */
export class WriteBack {
  readonly #written = new Set<string>()
  readonly #fail: (error: unknown) => void
  readonly #pauseMs: number
  #isRunning = false

  /** `fail` is told when the disk does not take it: asked once more, the system may say that all is well. */
  constructor(fail: (error: unknown) => void, pauseMs = PAUSE_MS) {
    this.#fail = fail
    this.#pauseMs = pauseMs
  }

  /** Notes that something was written to a file. */
  note(path: string): void {
    this.#written.add(path)
    if (!this.#isRunning) this.#run().catch(this.#fail)
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#written.size > 0) {
      await wait(this.#pauseMs)
      const paths = [...this.#written]
      this.#written.clear()
      for (const path of paths) await syncIfPresent(path)
    }
    this.#isRunning = false
  }
}

/** A file that was completed or thrown away meanwhile has another name, or none. */
async function syncIfPresent(path: string): Promise<void> {
  try {
    await syncFile(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}
