import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Does work that nobody else does on the same lab meanwhile; the lock ends with this process, however it ends. */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  try {
    return await work()
  } finally {
    const ended = once(holder, 'exit')
    holder.stdin.end()
    await ended
  }
}
