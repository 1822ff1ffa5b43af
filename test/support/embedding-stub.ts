import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export type StubRequest = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}
export type StubAnswer = {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}
/** `cut`: half of an answer, and the connection is closed. */
export type StubBehaviour = StubAnswer | 'hang up' | 'never' | 'cut'

/** A server that answers bytes with bytes, and remembers what it was asked. */
export async function startEmbeddingStub(
  answer: (request: StubRequest) => StubBehaviour | Promise<StubBehaviour>,
  port = 0,
) {
  const requests: StubRequest[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const { method = '', url = '', headers } = request
    const asked = { method, path: url, headers, body: Buffer.concat(parts) }
    requests.push(asked)
    const behaviour = await answer(asked)
    if (behaviour === 'never') return
    if (behaviour === 'hang up') response.destroy()
    else if (behaviour === 'cut') {
      response.writeHead(200, { 'content-length': '1000' }).write('{"outputs":[[1')
      setImmediate(() => response.destroy())
    } else {
      const { status = 200, headers: head = { 'content-type': 'application/json' }, body = '' } = behaviour
      response.writeHead(status, head).end(body)
    }
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
