import { enableCompileCache, flushCompileCache } from 'node:module'
import { workerData } from 'node:worker_threads'

const { url, loaded, compiled } = workerData
// A thread compiles every module anew, which takes longer than many of the jobs it gets.
if (compiled) enableCompileCache(compiled)
try {
  await import(url)
  // Node.js does this at the end of a thread, which one that is stopped does not reach.
  flushCompileCache()
} finally {
  Atomics.store(loaded, 0, 1)
  Atomics.notify(loaded, 0)
}
