import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { makeGeneration } from '../support/generation.ts'
import { type SearchSystem, startSearchSystem } from '../support/search-system.ts'
import { call, type ServiceProcess, waitUntilReady } from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'

const MOST = 4096
const AT_ONCE = 256
const ASKED = 1024
const ANSWERED = /^HTTP\/1\.1 200/
const OVERLOADED = /^HTTP\/1\.1 503/
const MIB_FOR_ALL = 150
let system: SearchSystem
let gateway: ServiceProcess
const open: Socket[] = []

test.before(async () => {
  const directory = makeTempDir()
  system = await startSearchSystem(directory, await makeGeneration(directory, { clusters: 1 }))
  gateway = await system.startGateway()
  await waitUntilReady(gateway)
})
test.after(async () => {
  for (const socket of open) socket.destroy()
  await system.stop()
})

function connectTo({ url }: ServiceProcess): Socket {
  const { hostname, port } = new URL(url)
  return connect(Number(port), hostname)
}

async function ask(socket: Socket): Promise<string> {
  const body = JSON.stringify({ query: 'how are things?', k: 1 })
  const head = ['POST /v1/search HTTP/1.1', 'Host: test', 'Content-Type: application/json']
  socket.write(`${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  return answer.toString()
}

/** Resolves when the other side has closed a connection without a word; fails the test when it is answered. */
async function expectClosed(socket: Socket): Promise<void> {
  socket.on('data', (data) => assert.unreachable(data.toString()))
  socket.on('error', ({ message }) => assert.match(message, 'ECONNRESET'))
  await once(socket, 'close')
}

const memoryOf = ({ process: { pid } }: ServiceProcess) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024

test('serves as many connections as may be open, closes those that are more at once, and tells the log once', async () => {
  const before = memoryOf(gateway)
  while (open.length < MOST) {
    const more = Array.from({ length: AT_ONCE }, () => connectTo(gateway))
    await Promise.all(more.map((socket) => once(socket, 'connect')))
    open.push(...more)
  }
  // They are accepted in turn: who is answered is behind all the others.
  assert.match(await ask(open.at(-1)!), ANSWERED)
  await Promise.all(Array.from({ length: 50 }, () => expectClosed(connectTo(gateway))))
  assert.is(gateway.log().split('"event":"connections_refused"').length, 2, gateway.log())
  for (let first = 0; first < ASKED; first += AT_ONCE) {
    const answers = await Promise.all(open.slice(first, first + AT_ONCE).map(ask))
    assert.ok(answers.every((answer) => ANSWERED.test(answer) || OVERLOADED.test(answer)))
    assert.ok(answers.some((answer) => ANSWERED.test(answer)))
  }
  const more = memoryOf(gateway) - before
  assert.ok(more < MIB_FOR_ALL, `${MOST} connections take ${Math.round(more)} MiB`)
})

test('takes new connections as soon as others are gone', async () => {
  for (const socket of open.splice(0, 100)) socket.destroy()
  await eventually(async () => {
    const { status } = await call(`${gateway.url}/readyz`)
    assert.is(status, 200)
  })
})

test.run()
