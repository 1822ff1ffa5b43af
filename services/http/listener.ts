import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, Server as NetServer } from 'node:net'
import { LongshoreError, messageOf } from '../../lib/domain/errors.ts'
import type { Log } from './log.ts'

export type Address = {
  readonly host: string
  readonly port: number
  /** Whether the port belongs to this process alone, also among tasks that could share one. */
  readonly exclusive: boolean
}

export type Listener = {
  readonly port: number
  /** Accepts no more connections; open ones, idle ones too, stay. Resolves when the last is closed. */
  stopAccepting(): Promise<void>
}

/** Clients are told it and close idle connections before; it also bounds how long draining waits for them. */
const KEEP_ALIVE_MS = 5_000

/** What a connection costs, also an idle one, is bounded; those that come when so many are open are closed at once. */
const MOST_CONNECTIONS = 4_096
const TELL_EVERY_MS = 10_000

/** Listens at an address, and tells the log when connections are too many. Raises `remote`, for example when the port is taken. */
export async function listen(handler: RequestListener, address: Address, log: Log): Promise<Listener> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, handler)
  server.maxConnections = MOST_CONNECTIONS
  let toldAt = Number.NEGATIVE_INFINITY
  server.on('drop', () => {
    if (performance.now() - toldAt < TELL_EVERY_MS) return
    toldAt = performance.now()
    log('connections_refused', { open: MOST_CONNECTIONS, message: 'more connections than may be open' })
  })
  try {
    server.listen(address)
    await once(server, 'listening')
  } catch (error) {
    const where = `${address.host}:${address.port}`
    throw new LongshoreError('remote', `cannot listen at ${where}: ${messageOf(error)}`, { cause: error })
  }
  return {
    port: (server.address() as AddressInfo).port,
    stopAccepting: () =>
      // The HTTP server's own close() would cut idle connections, on which a request may be on its way.
      new Promise((resolve) => {
        NetServer.prototype.close.call(server, () => resolve())
      }),
  }
}
