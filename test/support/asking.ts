import { Agent, request } from 'undici'
import * as assert from 'uvu/assert'
import { eventually } from './eventually.ts'

/** Asks without pause from several keep-alive clients; `stop` resolves to what went wrong. */
export function startAsking(url: string, texts: readonly string[], nprobe = 3) {
  const failures: string[] = []
  let answered = 0
  let isStopped = false
  const client = async (dispatcher: Agent) => {
    for (let turn = 0; !isStopped; turn++) {
      const body = JSON.stringify({ query: texts[turn % texts.length], nprobe })
      const headers = { 'content-type': 'application/json' }
      const reply = await request(`${url}/v1/search`, { method: 'POST', dispatcher, body, headers })
      const text = await reply.body.text()
      if (reply.statusCode !== 200) failures.push(text)
      answered++
    }
    await dispatcher.close()
  }
  const clients = [0, 1, 2].map(() =>
    client(new Agent({ connections: 1 })).catch((error) => failures.push(String(error))),
  )
  return {
    moreThan: async (count: number) => {
      const goal = answered + count
      await eventually(() => assert.ok(answered >= goal || failures.length > 0, 'the clients stand still'))
    },
    stop: async () => {
      isStopped = true
      await Promise.all(clients)
      return failures
    },
  }
}
