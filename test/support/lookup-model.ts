import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Sentence } from './hardml.ts'

export type LookupModel = { readonly url: string; stop(): Promise<void> }

/** TF Serving's REST API over a model that knows these texts by heart, and takes any other for the first one. */
export async function startLookupModel(
  sentences: readonly Sentence[],
  host = '127.0.0.1',
): Promise<LookupModel> {
  const known = new Map(sentences.map((each) => [each.text, each.vector]))
  const first = sentences[0]?.vector ?? new Float32Array()
  const server = createServer(async (incoming, outgoing) => {
    const body = await text(incoming)
    const { inputs = [] } = (body ? JSON.parse(body) : {}) as { inputs?: string[] }
    outgoing.setHeader('content-type', 'application/json')
    outgoing.end(JSON.stringify({ outputs: inputs.map((each) => [...(known.get(each) ?? first)]) }))
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${host}:${port}`,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
