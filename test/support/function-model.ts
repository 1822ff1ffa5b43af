import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** TF Serving's REST API over a function, and how often each text of a batch was asked for. */
export type FunctionModel = {
  readonly url: string
  readonly asked: ReadonlyMap<string, number>
  stop(): Promise<void>
}

/** `hold` may let a batch of several texts wait; a single text is a query, and never waits. */
export async function startFunctionModel(
  embed: (text: string) => ArrayLike<number>,
  hold: () => Promise<void> = async () => undefined,
): Promise<FunctionModel> {
  const asked = new Map<string, number>()
  const server = createServer(async (incoming, outgoing) => {
    const body = await text(incoming)
    const { inputs = [] } = (body ? JSON.parse(body) : {}) as { inputs?: string[] }
    if (inputs.length > 1) {
      for (const each of inputs) asked.set(each, (asked.get(each) ?? 0) + 1)
      await hold()
    }
    outgoing.setHeader('content-type', 'application/json')
    outgoing.end(JSON.stringify({ outputs: inputs.map((each) => Array.from(embed(each))) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
