import { enableCompileCache } from 'node:module'
import { workerData } from 'node:worker_threads'

const { url, loaded, compiled } = workerData
// A thread compiles every module anew, which takes longer than many of the jobs it gets.
enableCompileCache(compiled)
try {
  await import(url)
} finally {
  Atomics.store(loaded, 0, 1)
  Atomics.notify(loaded, 0)
}
