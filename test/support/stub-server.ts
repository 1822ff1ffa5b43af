import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export type StubServer = {
  readonly url: string
  /** Bodies of the requests so far. */
  readonly requests: readonly { readonly path: string; readonly body: string }[]
  /** Requests whose clients went before they were answered. */
  readonly left: () => number
  stop(): Promise<void>
}

export type StubReply = { readonly status?: number; readonly body: string } | 'hang up' | 'never'

/** A server that answers every request with what `reply` makes of it. */
export async function startStub(reply: (path: string, body: string) => StubReply): Promise<StubServer> {
  const requests: { path: string; body: string }[] = []
  let left = 0
  const server: Server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    requests.push({ path: request.url!, body })
    const answer = reply(request.url!, body)
    if (answer === 'never') {
      response.once('close', () => {
        left++
      })
      return
    }
    if (answer === 'hang up') {
      response.destroy()
      return
    }
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' }).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    left: () => left,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
