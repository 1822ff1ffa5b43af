import { connect, type Socket } from 'node:net'

/** One kept-alive connection that costs its process little: at high rates the client must not be what is measured. */
export type HttpConnection = {
  /** Sends a whole request; `done` is told the status of the answer, or 0 when the connection failed. */
  ask(request: Buffer, done: (status: number) => void): void
  readonly isBusy: () => boolean
}

/** Well before the server closes it: a request may be on its way then. */
const MOST_IDLE_MS = 2_000
const HEAD_END = Buffer.from('\r\n\r\n')

export function openConnection(port: number): HttpConnection {
  let socket: Socket | undefined
  let usedAt = 0
  let received: Buffer[] = []
  let waiting: ((status: number) => void) | undefined
  const finish = (status: number) => {
    usedAt = performance.now()
    received = []
    const done = waiting
    waiting = undefined
    done?.(status)
  }
  const open = () => {
    const opened = connect({ port, host: '127.0.0.1', noDelay: true })
    opened.on('data', (part) => {
      received.push(part)
      const status = readStatus(Buffer.concat(received))
      if (status !== undefined) finish(status)
    })
    opened.on('error', () => opened.destroy())
    opened.on('close', () => {
      if (socket !== opened) return
      socket = undefined
      finish(0)
    })
    return opened
  }
  const closeIdle = () => {
    const idle = socket
    socket = undefined
    idle?.destroy()
  }
  return {
    isBusy: () => waiting !== undefined,
    ask(request, done) {
      waiting = done
      if (performance.now() - usedAt > MOST_IDLE_MS) closeIdle()
      socket ??= open()
      socket.write(request)
    },
  }
}

/** The status of an answer that is there as a whole, else undefined. */
function readStatus(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const head = bytes.toString('latin1', 0, headEnd)
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
  return bytes.length >= headEnd + HEAD_END.length + length ? Number(head.slice(9, 12)) : undefined
}
