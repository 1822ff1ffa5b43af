import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { parentPort, type Transferable, Worker } from 'node:worker_threads'
import { type ErrorKind, LongshoreError, messageOf } from '../../domain/errors.ts'
import { blockToEnd, createThreadState, type ThreadState, waitToEnd } from '../process/thread-state.ts'
import { explainDiskError } from './disk-error.ts'

/** What a thread can be asked, by name; each takes one argument, of a type of its own. */
export type Handlers = Record<string, (argument: never) => unknown>

/** A thread that answers calls one after the other. */
export type Thread<H extends Handlers> = {
  call<Name extends keyof H & string>(
    name: Name,
    argument?: Parameters<H[Name]>[0],
    transfer?: readonly ArrayBufferLike[],
  ): Promise<Awaited<ReturnType<H[Name]>>>
  /** Ends the thread as soon as no native code stands against it; calls that wait for an answer fail. */
  stop(): Promise<void>
}

type Failure = {
  readonly kind: ErrorKind | null
  readonly message: string
  readonly hint: string | undefined
}
type Reply = { readonly id: number; readonly value?: unknown; readonly failure?: Failure }
type Waiting = { resolve(value: never): void; reject(error: Error): void }

/** The threads that have not ended; the end of the process is theirs too. */
const running = new Set<ThreadState>()

process.once('exit', () => {
  for (const state of running) blockToEnd(state)
})

/**
 * Starts the module at `url` as a thread; it must call `answerCalls`. `lose` is told why when the thread ends although
 * nobody stopped it, before the calls that wait for it fail.
 */
export function startThread<H extends Handlers>(
  url: URL,
  lose: (reason: Error) => void = () => undefined,
): Thread<H> {
  const state = createThreadState()
  const workerData = { url: url.href, state, compiled: findCompiled() }
  const worker = new Worker(new URL('./thread-start.mjs', import.meta.url), { workerData })
  running.add(state)
  const waiting = new Map<number, Waiting>()
  let calls = 0
  let isStopping = false
  let crash: unknown
  let end: Error | undefined
  worker.on('message', ({ id, value, failure }: Reply) => {
    const call = waiting.get(id)
    waiting.delete(id)
    // Whoever stops the thread waits for its end, also when a last answer comes before that.
    if (waiting.size === 0 && !isStopping) worker.unref()
    if (failure) call?.reject(revive(failure))
    else call?.resolve(value as never)
  })
  worker.on('error', (error) => {
    crash = error
  })
  worker.on('exit', (code) => {
    running.delete(state)
    end = isStopping ? new LongshoreError('interrupted', 'a thread was stopped') : describeEnd(code, crash)
    if (!isStopping) lose(end)
    for (const { reject } of waiting.values()) reject(end)
  })
  // A thread that nobody waits for must not keep the process running; listening for messages would.
  worker.unref()
  return {
    call: (name, argument, transfer = []) =>
      new Promise((resolve, reject) => {
        if (end) return reject(end)
        const id = calls++
        waiting.set(id, { resolve, reject })
        worker.ref()
        worker.postMessage({ id, name, argument }, transfer as readonly Transferable[])
      }),
    async stop() {
      isStopping = true
      worker.ref()
      await waitToEnd(state)
      await worker.terminate()
    },
  }
}

/** Where this process keeps what Node.js compiled, if it does; each version has a directory of its own in there. */
function findCompiled(): string | undefined {
  const ofVersion = getCompileCacheDir()
  return ofVersion === undefined ? undefined : dirname(ofVersion)
}

/** Answers the calls of the thread that started this one. */
export function answerCalls(handlers: Handlers): void {
  const port = parentPort!
  port.on('message', async ({ id, name, argument }: { id: number; name: string; argument: never }) => {
    try {
      port.postMessage({ id, value: await handlers[name]!(argument) })
    } catch (error) {
      port.postMessage({ id, failure: describe(explainDiskError(error)) })
    }
  })
}

function describeEnd(code: number, crash: unknown): Error {
  const why = crash === undefined ? `exit code ${code}` : messageOf(crash)
  return new Error(`a thread has ended: ${why}`, { cause: crash })
}

function describe(error: unknown): Failure {
  if (error instanceof LongshoreError) return { kind: error.kind, message: error.message, hint: error.hint }
  return {
    kind: null,
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    hint: undefined,
  }
}

function revive({ kind, message, hint }: Failure): Error {
  return kind ? new LongshoreError(kind, message, hint === undefined ? {} : { hint }) : new Error(message)
}
