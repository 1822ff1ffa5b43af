import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { request } from 'undici'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { call, startService } from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'

const TOKEN = 'a token of the test'

type Heard = { readonly path: string; readonly body: string }

/** A backend that tells its name in every answer, and may be made to fail or to wait. */
async function startBackend(name: string) {
  const heard: Heard[] = []
  const behaviour = { status: 200, hangs: false }
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = []
    incoming.on('data', (part: Buffer) => parts.push(part))
    incoming.on('end', () => {
      heard.push({ path: incoming.url ?? '', body: Buffer.concat(parts).toString() })
      if (behaviour.hangs) return
      response.writeHead(behaviour.status, { 'content-type': 'application/json', 'x-name': name })
      response.end(JSON.stringify({ name }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = () => {
    server.close()
    server.closeAllConnections()
  }
  stops.push(stop)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard, behaviour, stop }
}

const stops: (() => unknown)[] = []
test.after(async () => {
  for (const stop of stops) await stop()
})

async function startRouter(services: object, more: Record<string, string> = {}, fallback?: string) {
  const directory = makeTempDir()
  const routes = join(directory, 'routes.json')
  writeFileSync(routes, JSON.stringify({ ...(fallback && { fallback }), services }))
  writeFileSync(join(directory, 'token'), `${TOKEN}\n`)
  const env = { ROUTES: routes, TOKEN_FILE: join(directory, 'token'), TIMEOUT_MS: '3000', ...more }
  const router = await startService('router', env)
  stops.push(router.stop)
  return { ...router, routes, env }
}

const predict = (url: string, service = 's') => call(`${url}/predict`, { service, data: ['x'] })
const control = (url: string, path: string, body?: unknown, token = TOKEN) =>
  request(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'PUT',
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
const to = (url: string, service: string, weight: number) => ({ url, service, weight })

test('asks backends by weight, each under the name of the service there', async () => {
  const [a, b] = [await startBackend('a'), await startBackend('b')]
  const router = await startRouter({ s: { backends: [to(a.url, 's', 50), to(b.url, 'two', 50)] } })
  for (let count = 0; count < 40; count++) assert.is((await predict(router.url, 'S')).status, 200)
  assert.ok(a.heard.length > 5 && b.heard.length > 5, `${a.heard.length} ${b.heard.length}`)
  assert.is(a.heard.length + b.heard.length, 40)
  assert.ok(b.heard.every(({ body }) => JSON.parse(body).service === 'two'))
  const { headers } = await call(`${router.url}/services/s`)
  assert.ok(['a', 'b'].includes(String(headers['x-name'])))
  assert.ok([...a.heard, ...b.heard].some(({ path }) => path === '/services/s' || path === '/services/two'))
})

test('no request fails while a backend dies, and it is passed by', async () => {
  const [a, b] = [await startBackend('a'), await startBackend('b')]
  const router = await startRouter({ s: { backends: [to(a.url, 's', 50), to(b.url, 's', 50)] } })
  await predict(router.url)
  b.stop()
  for (let count = 0; count < 30; count++) assert.is((await predict(router.url)).status, 200)
  const { body } = await call(`${router.url}/v1/status`)
  const dead = body.backends.find(({ url }: { url: string }) => url === b.url)
  assert.is(dead.isOut, true)
  assert.ok(dead.outSince >= dead.failingSince)
})

test('a backend that is routed to anew begins anew', async () => {
  const [a, b] = [await startBackend('a'), await startBackend('b')]
  b.stop()
  const both = { services: { s: { backends: [to(a.url, 's', 1), to(b.url, 's', 99)] } } }
  const router = await startRouter(both.services)
  await eventually(async () => {
    await predict(router.url)
    const { body } = await call(`${router.url}/v1/status`)
    assert.ok(body.backends.some(({ isOut }: { isOut: boolean }) => isOut))
  }, 30_000)
  await control(router.url, '/v1/routes', { services: { s: { backends: [to(a.url, 's', 1)] } } })
  await control(router.url, '/v1/routes', both)
  const { body } = await call(`${router.url}/v1/status`)
  assert.ok(body.backends.every(({ isOut }: { isOut: boolean }) => !isOut))
})

test('a failing or forgetful backend is followed by the other, one that hangs after the timeout', async () => {
  const [a, b] = [await startBackend('a'), await startBackend('b')]
  const router = await startRouter(
    { s: { backends: [to(a.url, 's', 0), to(b.url, 's', 100)] } },
    { TIMEOUT_MS: '500' },
  )
  for (const status of [500, 404, 503]) {
    b.behaviour.status = status
    assert.equal((await predict(router.url)).body, { name: 'a' })
  }
  const again = await startRouter(
    { s: { backends: [to(a.url, 's', 0), to(b.url, 's', 100)] } },
    { TIMEOUT_MS: '500' },
  )
  b.behaviour.hangs = true
  assert.equal((await predict(again.url)).body, { name: 'a' })
})

test('what a backend refuses is the answer, and no failure', async () => {
  const [a, b] = [await startBackend('a'), await startBackend('b')]
  b.behaviour.status = 400
  const router = await startRouter({ s: { backends: [to(a.url, 's', 0), to(b.url, 's', 100)] } })
  assert.is((await predict(router.url)).status, 400)
  assert.is(a.heard.length, 0)
})

test('a creation that fails is not sent to another backend', async () => {
  const [a, b] = [await startBackend('a'), await startBackend('b')]
  b.behaviour.status = 500
  const router = await startRouter({ s: { backends: [to(a.url, 's', 0), to(b.url, 's', 100)] } })
  assert.is((await call(`${router.url}/services/s`, { mllib: 'torch' })).status, 500)
  assert.is(a.heard.length, 0)
})

test('unknown services go to the fallback, or nowhere', async () => {
  const a = await startBackend('a')
  const router = await startRouter({}, {}, a.url)
  assert.equal((await predict(router.url, 'other')).body, { name: 'a' })
  assert.equal((await call(`${router.url}/info`)).body, { name: 'a' })
  const strict = await startRouter({})
  assert.is((await predict(strict.url)).status, 404)
})

test('routes are kept over a restart, and changed by the token alone', async () => {
  const [a, b] = [await startBackend('a'), await startBackend('b')]
  const router = await startRouter({ s: { backends: [to(a.url, 's', 100)] } })
  const next = { services: { s: { backends: [to(b.url, 's', 100)] } } }
  assert.is((await control(router.url, '/v1/routes', next, 'wrong')).statusCode, 401)
  assert.is((await control(router.url, '/v1/routes', { services: [] })).statusCode, 400)
  assert.equal((await predict(router.url)).body, { name: 'a' })
  assert.is((await control(router.url, '/v1/routes', next)).statusCode, 200)
  assert.equal((await predict(router.url)).body, { name: 'b' })
  await router.stop()
  const again = await startService('router', router.env)
  stops.push(again.stop)
  assert.equal((await predict(again.url)).body, { name: 'b' })
})

test('a changed file is followed, and a broken one changes nothing', async () => {
  const [a, b] = [await startBackend('a'), await startBackend('b')]
  const router = await startRouter({ s: { backends: [to(a.url, 's', 100)] } })
  writeFileSync(router.routes, '{')
  await eventually(() => assert.match(router.log(), 'routes_refused'), 30_000)
  assert.equal((await predict(router.url)).body, { name: 'a' })
  writeFileSync(router.routes, JSON.stringify({ services: { s: { backends: [to(b.url, 's', 100)] } } }))
  await eventually(async () => assert.equal((await predict(router.url)).body, { name: 'b' }), 30_000)
})

test('shadow copies delay nothing, and are dropped and counted when they pile up', async () => {
  const [a, b] = [await startBackend('a'), await startBackend('b')]
  b.behaviour.hangs = true
  const shadow = { url: b.url, service: 'two', sample: 1 }
  const router = await startRouter(
    { s: { backends: [to(a.url, 's', 100)], shadow } },
    { TIMEOUT_MS: '60000' },
  )
  for (let count = 0; count < 80; count++) assert.equal((await predict(router.url)).body, { name: 'a' })
  const { body } = await call(`${router.url}/v1/status`)
  assert.equal(body.shadow, { sent: 4, failed: 0, dropped: 12 })
  assert.ok(b.heard.every(({ body: text }) => JSON.parse(text).service === 'two'))
})

test('tells the last predictions to those who show the token', async () => {
  const a = await startBackend('a')
  const router = await startRouter({ s: { backends: [to(a.url, 's', 100)] } }, { RECENT: '3' })
  for (const text of ['1', '2', '3', '4']) await call(`${router.url}/predict`, { service: 's', data: [text] })
  assert.is((await control(router.url, '/v1/recent', undefined, '')).statusCode, 401)
  const reply = await control(router.url, '/v1/recent?service=s')
  const { requests } = (await reply.body.json()) as { requests: { body: { data: string[] } }[] }
  assert.equal(
    requests.map(({ body }) => body.data[0]),
    ['2', '3', '4'],
  )
})

test('tells its health and its counts as every service does', async () => {
  const a = await startBackend('a')
  const router = await startRouter({ s: { backends: [to(a.url, 's', 100)] } })
  await predict(router.url)
  assert.is((await call(`${router.url}/readyz`)).status, 200)
  assert.match(
    (await call(`${router.url}/metrics`)).body,
    /longshore_router_requests\{.*outcome="answered".*\} 1/,
  )
  assert.match(readFileSync(router.routes, 'utf8'), a.url)
})

test.run()
