/**
 * Load in a process of its own, told what to do by messages: a rate that is kept whatever the answers do, or so many
 * clients that each ask again when they were answered. Times count from when a request was due.
 */
import { readFileSync } from 'node:fs'
import { type HttpConnection, openConnection } from './http-connection.ts'

export type Task = { readonly seconds: number } & (
  | { readonly perSecond: number }
  | { readonly clients: number }
)

/** For each request: when it was due, in milliseconds since 1970, how long it took, and its status, or 0. */
export type Seen = { readonly due: number[]; readonly tookMs: number[]; readonly status: number[] }

const MOST_CONNECTIONS = 1_000
/** After a refusal. */
const PAUSE_MS = 100
const [port, queriesFile, dimensions] = process.argv.slice(2)
const requests = renderRequests()
const connections: HttpConnection[] = []
const now = () => performance.timeOrigin + performance.now()

process.on('message', async (task: Task) => {
  const seen = await ('clients' in task ? askInTurn(task) : askSteadily(task))
  process.send!(seen)
})

function askSteadily({ seconds, perSecond }: { seconds: number; perSecond: number }): Promise<Seen> {
  const seen: Seen = { due: [], tookMs: [], status: [] }
  const start = now()
  const wanted = Math.round(seconds * perSecond)
  let sent = 0
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(wanted, ((now() - start) * perSecond) / 1000)
      for (; sent < due; sent++) {
        askOne(findIdle(), { due: start + (1000 * sent) / perSecond, turn: sent, seen })
      }
      if (seen.due.length < wanted) return
      clearInterval(timer)
      resolve(seen)
    }, 1)
  })
}

async function askInTurn({ seconds, clients }: { seconds: number; clients: number }): Promise<Seen> {
  const seen: Seen = { due: [], tookMs: [], status: [] }
  const end = now() + 1000 * seconds
  let turn = 0
  const ask = (connection: HttpConnection | undefined): Promise<void> =>
    new Promise((resolve) => {
      const next = () => {
        if (now() >= end) resolve()
        else askOne(connection, { due: now(), turn: turn++, seen, done: pause })
      }
      const pause = (status: number) => (status === 200 ? next() : setTimeout(next, PAUSE_MS))
      next()
    })
  await Promise.all(Array.from({ length: clients }, () => ask(openOne())))
  return seen
}

type Asked = {
  readonly due: number
  readonly turn: number
  readonly seen: Seen
  readonly done?: (status: number) => void
}

function askOne(connection: HttpConnection | undefined, { due, turn, seen, done }: Asked): void {
  const note = (status: number) => {
    seen.due.push(due)
    seen.tookMs.push(now() - due)
    seen.status.push(status)
    done?.(status)
  }
  if (connection) connection.ask(requests[turn % requests.length]!, note)
  else note(0)
}

function findIdle(): HttpConnection | undefined {
  return connections.find((connection) => !connection.isBusy()) ?? openOne()
}

function openOne(): HttpConnection | undefined {
  if (connections.length >= MOST_CONNECTIONS) return undefined
  connections.push(openConnection(Number(port)))
  return connections.at(-1)
}

function renderRequests(): Buffer[] {
  const bytes = readFileSync(queriesFile!)
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  const length = Number(dimensions)
  return Array.from({ length: values.length / length }, (_, query) => {
    const vector = Array.from(values.subarray(query * length, (query + 1) * length), (value) =>
      Number(value.toFixed(4)),
    )
    const body = JSON.stringify({ vector, k: 10 })
    const head = [
      'POST /v1/search HTTP/1.1',
      'Host: bench',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ]
    return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
  })
}
