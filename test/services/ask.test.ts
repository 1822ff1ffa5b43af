import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ROOT } from '../support/shared.ts'

test('prints the body of an answer with status 200, whatever its length', async () => {
  const body = JSON.stringify({ ready: true, text: 'é'.repeat(100_000) })
  const { exitCode, stdout } = await askService((request, response) =>
    response.writeHead(request.url === '/v1/status' ? 200 : 404).end(body),
  )
  assert.is(exitCode, 0)
  assert.ok(stdout === body)
})

test('fails with status and body of any other answer', async () => {
  const { exitCode, stdout } = await askService((_, response) =>
    response.writeHead(503).end('{"why":"load"}'),
  )
  assert.is(exitCode, 1)
  assert.equal(JSON.parse(stdout), { status: 503, body: '{"why":"load"}' })
})

test('fails where nothing listens, and where the connection ends before an answer', async () => {
  const silent = createTcpServer((socket) => socket.resume().end()).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const { port } = silent.address() as AddressInfo
  const cut = await ask(port)
  await new Promise((resolve) => silent.close(resolve))
  const refused = await ask(port)
  assert.equal([cut.exitCode, refused.exitCode], [1, 1])
  assert.match(cut.stdout, 'ended before its answer')
  assert.match(refused.stdout, 'ECONNREFUSED')
})

async function askService(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  try {
    return await ask((server.address() as AddressInfo).port)
  } finally {
    server.close()
  }
}

async function ask(port: number) {
  const env = { PORT: String(port) }
  return await execa(process.execPath, [join(ROOT, 'services/ask.mjs'), '/v1/status'], { env, reject: false })
}

test.run()
