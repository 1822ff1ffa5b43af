import { Agent, request } from 'undici'
import { renderPrediction } from './model-servers.ts'

export type PredictLoad = {
  /** Answers other than 200, or none, in words. */
  readonly failures: readonly string[]
  /** Answers so far. */
  answered(): number
  stop(): Promise<void>
}

/** Clients with connections of their own, each of which asks again and again until stopped. */
export function startPredictLoad(url: string, service: string, clients = 3): PredictLoad {
  const dispatcher = new Agent({ pipelining: 1, connections: clients })
  const failures: string[] = []
  let answered = 0
  let isStopping = false
  const ask = async (client: number) => {
    for (let count = 0; !isStopping; count++) {
      try {
        const body = JSON.stringify(renderPrediction(service, `text ${client} ${count % 7}`))
        const reply = await request(`${url}/predict`, { method: 'POST', body, dispatcher })
        const text = await reply.body.text()
        if (reply.statusCode === 200) answered++
        else failures.push(`${reply.statusCode} ${text}`)
      } catch (error) {
        failures.push(String(error))
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const asking = Array.from({ length: clients }, (_, client) => ask(client))
  return {
    failures,
    answered: () => answered,
    async stop() {
      isStopping = true
      await Promise.all(asking)
      await dispatcher.destroy()
    },
  }
}
