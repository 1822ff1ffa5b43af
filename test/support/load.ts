import { setTimeout as wait } from 'node:timers/promises'
import { Agent, type buildConnector, request } from 'undici'
import type { Question } from './questions.ts'

/** What a load saw. A failure is anything but a whole answer; a mixed answer has a hit that its generation lacks. */
export type LoadReport = {
  readonly requests: number
  readonly failures: readonly string[]
  readonly mixed: readonly string[]
  readonly byGeneration: Readonly<Record<string, number>>
}

export type Load = { stop(): Promise<LoadReport>; readonly seen: () => number }

type Answer = {
  readonly generation: string
  readonly model: { readonly name: string; readonly version: string }
  readonly hits: readonly { readonly id: string; readonly item: { readonly text: string } }[]
  readonly coverage: { readonly complete: boolean }
}

export type LoadOptions = {
  readonly clients?: number
  /** Requests of all clients together; without pause where it is left out. */
  readonly perSecond?: number
  /** Opens the clients' connections, where something stands between them and the gateway. */
  readonly connect?: buildConnector.connector
  /** The body of a search for a text. */
  readonly render?: (text: string) => string
  /** The model of each generation, as `NAME@VERSION`: an answer that names another one is mixed. */
  readonly models?: ReadonlyMap<string, string>
}

/**
 * Queries a gateway from several keep-alive clients until stopped. `galleries` gives what each
 * generation holds; every hit must be in the gallery of the generation that the answer names.
 */
export function startLoad(
  url: string,
  galleries: ReadonlyMap<string, readonly Question[]>,
  options: LoadOptions = {},
): Load {
  const {
    clients = 4,
    perSecond = Number.POSITIVE_INFINITY,
    connect,
    render = renderTextSearch,
    models,
  } = options
  const texts = [...galleries.values()].flat().map((question) => question.text)
  const known = new Map(
    [...galleries].map(([name, list]) => [name, new Map(list.map((q) => [q.id, q.text]))]),
  )
  const agents = Array.from(
    { length: clients },
    () => new Agent({ connections: 1, ...(connect && { connect }) }),
  )
  const failures: string[] = []
  const mixed: string[] = []
  const byGeneration: Record<string, number> = {}
  let requests = 0
  let isStopped = false

  const check = (answer: Answer, query: string) => {
    byGeneration[answer.generation] = (byGeneration[answer.generation] ?? 0) + 1
    const gallery = known.get(answer.generation)
    const foreign = answer.hits.find((hit) => gallery?.get(hit.id) !== hit.item.text)
    if (foreign) mixed.push(`${query}: ${answer.generation} answered ${foreign.id}`)
    const model = `${answer.model.name}@${answer.model.version}`
    if (models && models.get(answer.generation) !== model) mixed.push(`${answer.generation} under ${model}`)
    if (answer.hits.length === 0 || !answer.coverage.complete) failures.push(`${query}: incomplete`)
  }
  const ask = async (client: number, dispatcher: Agent) => {
    let due = performance.now()
    for (let turn = client; !isStopped; turn += clients) {
      // Time that was lost is not made up for.
      due = Math.max(due + (1000 * clients) / perSecond, performance.now())
      if (perSecond < Number.POSITIVE_INFINITY) await wait(Math.max(0, due - performance.now()))
      const query = texts[(turn * 7919) % texts.length]!
      requests++
      try {
        const { statusCode, body } = await request(`${url}/v1/search`, {
          method: 'POST',
          dispatcher,
          headers: { 'content-type': 'application/json' },
          body: render(query),
        })
        if (statusCode === 200) check((await body.json()) as Answer, query)
        else failures.push(`${query}: ${statusCode} ${await body.text()}`)
      } catch (error) {
        failures.push(
          `${query}: ${error instanceof Error ? `${error.name} ${error.message}` : String(error)}`,
        )
      }
    }
  }
  const running = agents.map((dispatcher, client) => ask(client, dispatcher))
  const end = async (): Promise<LoadReport> => {
    isStopped = true
    await Promise.all(running)
    await Promise.all(agents.map((each) => each.close()))
    return { requests, failures, mixed, byGeneration }
  }
  let report: Promise<LoadReport> | undefined
  return {
    seen: () => requests,
    stop: () => {
      report ??= end()
      return report
    },
  }
}

/** Explained, since these are never answered from a cache: all of the way is tried each time. */
function renderTextSearch(query: string): string {
  return JSON.stringify({ query, k: 5, explain: true })
}
