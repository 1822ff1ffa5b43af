import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Workplace } from '../../ports/workplace.ts'
import type { Place } from './ask-task.ts'
import { pipeInside } from './docker-argv.ts'
import type { Engine } from './engine-parts.ts'
import { findContainer } from './find-container.ts'
import { readNodes } from './read-fleet.ts'

/** The GPUs of nodes, and ways to tasks through SSH and docker, which every node has. */
export function createSwarmWorkplace(engine: Pick<Engine, 'shell' | 'manager'>): Workplace {
  return {
    async countGpus(signal) {
      const nodes = await readNodes(engine.manager, signal)
      return nodes.reduce((sum, { gpus, isDown }) => sum + (isDown ? 0 : gpus), 0)
    },
    open: async (task, signal) => await listen(await findContainer(engine, task, signal)),
  }
}

/** Each connection to a port of this machine becomes one that a program makes beside the task, in its container. */
async function listen(place: Place) {
  const closing = new AbortController()
  const server = createServer({ noDelay: true }, (socket) => void carry(socket, place, closing.signal))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      closing.abort(new Error('the way to the task was closed'))
      await closed
    },
  }
}

/** Carries bytes both ways until either end is over; to whoever connected, a lost node is a lost connection. */
async function carry(socket: Socket, { shell, node, container }: Place, closing: AbortSignal): Promise<void> {
  const over = new AbortController()
  socket.on('error', (error) => over.abort(error))
  socket.on('close', () => over.abort(new Error('the connection was closed')))
  const signal = AbortSignal.any([closing, over.signal])
  const onStdout = (block: Uint8Array) => void socket.write(block)
  await shell.run(node, ['docker', ...pipeInside(container)], { stdin: socket, onStdout, signal }).then(
    () => socket.end(),
    () => socket.destroy(),
  )
}
