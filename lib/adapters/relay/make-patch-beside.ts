import { startThread } from '../generations/thread.ts'
import type { PatchHandlers } from './patch-worker.ts'
import type { MakePatch } from './patches.ts'

/** Makes a patch in a thread of its own, so that relays are served meanwhile; the thread ends with `signal`. */
export const makePatchBeside: MakePatch = async ({ signal, ...options }) => {
  signal.throwIfAborted()
  const thread = startThread<PatchHandlers>(new URL('./patch-worker.ts', import.meta.url))
  const stop = () => void thread.stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await thread.call('make', options)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    await thread.stop()
  }
}
