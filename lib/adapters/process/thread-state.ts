import { flushCompileCache } from 'node:module'
import { workerData } from 'node:worker_threads'

/**
 * What a thread does, in memory that it shares with the thread that started it. A thread that is ended while native code
 * loads or is about to raise an error takes the process with it.
 */
export type ThreadState = Int32Array<SharedArrayBuffer>

const [LOADING, FREE, NATIVE, ENDING] = [0, 1, 2, 3]
/** Nothing that must not be interrupted takes longer. */
const LONGEST_MS = 10_000

export function createThreadState(): ThreadState {
  return new Int32Array(new SharedArrayBuffer(4)).fill(LOADING)
}

/** Tells that all modules of this thread are loaded. */
export function markLoaded(state: ThreadState): void {
  become(state, FREE)
}

/** Loads modules that bring native code along, which other calls of this thread must not run meanwhile. */
export async function loadNative<T>(load: () => Promise<T>): Promise<T> {
  const state: ThreadState | undefined = workerData?.state
  if (state === undefined) return load()
  begin(state, LOADING)
  try {
    return await load()
  } finally {
    flushCompileCache()
    become(state, FREE)
  }
}

/** Runs native code that may raise an error; a thread is not ended meanwhile. Does not begin where it is to be ended. */
export function runNative<T>(work: () => T): T {
  const state: ThreadState | undefined = workerData?.state
  if (state === undefined) return work()
  begin(state, NATIVE)
  try {
    return work()
  } finally {
    become(state, FREE)
  }
}

/** Waits until a thread may be ended, and lets it begin nothing that stands against that. */
export async function waitToEnd(state: ThreadState): Promise<void> {
  for (let found = claim(state); found !== ENDING; found = claim(state)) {
    if ((await Atomics.waitAsync(state, 0, found, LONGEST_MS).value) === 'timed-out') return
  }
}

/** The same, for a process that ends and cannot wait but by standing still. */
export function blockToEnd(state: ThreadState): void {
  for (let found = claim(state); found !== ENDING; found = claim(state)) {
    if (Atomics.wait(state, 0, found, LONGEST_MS) === 'timed-out') return
  }
}

/** Tells what a thread goes on to do; one that is to be ended does not come back. */
function begin(state: ThreadState, what: number): void {
  if (Atomics.compareExchange(state, 0, FREE, what) === ENDING) Atomics.wait(state, 0, ENDING)
}

/** What the thread does now: `ENDING` once it was found free. */
function claim(state: ThreadState): number {
  const found = Atomics.compareExchange(state, 0, FREE, ENDING)
  return found === FREE ? ENDING : found
}

function become(state: ThreadState, what: number): void {
  Atomics.store(state, 0, what)
  Atomics.notify(state, 0)
}
