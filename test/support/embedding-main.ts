/**
 * A server of its own process that speaks TensorFlow Serving's REST API: `embedding-main.ts PORT DIMENSIONS DELAY_MS`. Its
 * parent hears of every text that it is asked for, and tells it how to answer the next requests.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { embedLexical } from '../../lib/domain/lexical.ts'
import type { Fault } from './embedding-process.ts'

const [port = 0, dimensions = 0, delayMs = 0] = process.argv.slice(2).map(Number)
let faults: Fault[] = []

const server = createServer(async (request, response) => {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const { inputs } = JSON.parse(Buffer.concat(parts).toString()) as { inputs: string[] }
  const fault = faults.shift()
  process.send?.({ asked: inputs, failed: fault !== undefined })
  await wait(delayMs)
  const rows = inputs.map((text) => [...embedLexical([text], dimensions)])
  const { status = 200, headers = {}, body = JSON.stringify({ outputs: rows }) } = fault ?? {}
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
})
server.listen(port, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))

process.on('message', (told: Fault[]) => {
  faults = told
  process.send?.({ told: true })
})
// Whatever happens to the test, nothing of it stays.
process.on('disconnect', () => process.exit())
