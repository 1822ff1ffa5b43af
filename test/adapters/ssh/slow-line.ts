import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A port of the loopback interface that leads to another one, to which no more than so many bytes a second go. */
export async function startSlowLine(target: number, bytesPerSecond: number) {
  let passed = 0
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
    }
    far.pipe(near)
    near
      .on('end', () => far.end())
      .on('data', (block) => {
        far.write(block)
        passed += block.length
        near.pause()
        setTimeout(() => near.resume(), (1000 * block.length) / bytesPerSecond)
      })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { port: (server.address() as AddressInfo).port, stop, countPassed: () => passed }
}
