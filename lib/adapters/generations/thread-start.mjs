import { enableCompileCache } from 'node:module'
import { workerData } from 'node:worker_threads'

// A thread compiles every module anew, which takes longer than many of the jobs it gets.
enableCompileCache()
await import(workerData)
