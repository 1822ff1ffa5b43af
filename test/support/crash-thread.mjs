/**
 * Preloaded by a service (NODE_OPTIONS), whose first thread then really crashes in the way that CRASH names when the
 * process gets a SIGUSR2.
 */
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads'

const FIRST_THREAD = 1
const WAYS = {
  throw: () => {
    throw new Error('crashed on purpose')
  },
  exit: () => process.exit(0),
  memory: () => {
    for (const kept = []; ; ) kept.push(new Array(100_000).fill({}))
  },
}

const channel = new BroadcastChannel('crash')
if (isMainThread) process.on('SIGUSR2', () => channel.postMessage(process.env.CRASH))
else if (threadId === FIRST_THREAD) {
  channel.onmessage = ({ data }) => WAYS[/** @type {keyof typeof WAYS} */ (data)]()
}
channel.unref()
