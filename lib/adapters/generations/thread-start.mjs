import { enableCompileCache, flushCompileCache } from 'node:module'
import { workerData } from 'node:worker_threads'

const { url, state, compiled } = workerData
// A thread compiles every module anew, which takes longer than many of the jobs it gets.
if (compiled) enableCompileCache(compiled)
const { markLoaded } = await import('../process/thread-state.ts')
try {
  await import(url)
  // Node.js does this at the end of a thread, which one that is stopped does not reach.
  flushCompileCache()
} finally {
  markLoaded(state)
}
