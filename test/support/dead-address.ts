import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'

/** A listener that accepts nobody, in a process that stands still. */
const LISTEN = `
const server = require('node:net').createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})`
/** More than Linux lets wait for such a listener. */
const FILLING = 4

/** An address where connections are neither refused nor come about, like that of a task that has ended. */
export async function startDeadAddress(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  const filling = Array.from({ length: FILLING }, () => connect(Number(port), '127.0.0.1'))
  // All that is asked of them is to stand in the queue.
  for (const socket of filling) socket.on('error', () => undefined)
  await once(filling[0]!, 'connect')
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      for (const socket of filling) socket.destroy()
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
