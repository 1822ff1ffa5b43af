/**
 * `node services/compile.mjs DIRECTORY UID`: run as root while the image is built. Compiles what services load, into a
 * directory that Node.js reads for this user: tasks then start with less than half the processor time.
 */
import { chownSync, mkdirSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'

const [directory = '', user = ''] = process.argv.slice(2)
mkdirSync(directory, { recursive: true })
chownSync(directory, Number(user), Number(user))
process.setgid?.(Number(user))
process.setuid?.(Number(user))
enableCompileCache(directory)
const parts = [
  'gateway/start',
  'gateway/console/start',
  'index/start',
  'extraction/start',
  'extraction/onnx-embedding',
  'relay/hear-orders',
  'relay/relay',
  'relay/rebuild',
]
await Promise.all(parts.map((part) => import(`./${part}.ts`)))
flushCompileCache()
const { startThread } = await import('../lib/adapters/generations/thread.ts')
const threads = ['search-worker', 'filter-worker'].map((name) =>
  startThread(new URL(`./index/${name}.ts`, import.meta.url)),
)
await Promise.all(threads.map((thread) => thread.stop()))
