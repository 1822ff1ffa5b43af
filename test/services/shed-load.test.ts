import { Agent, request } from 'undici'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createAdmission } from '../../services/http/admission.ts'
import { type Running, runService } from '../../services/http/run-service.ts'
import { createService, READY } from '../../services/http/service.ts'
import { parseSettings } from '../../services/settings.ts'
import { eventually } from '../support/eventually.ts'
import { announceBody, call } from '../support/services.ts'

const MOST = 2
let url: string
let running: Running
const answers: (() => void)[] = []

test.before(async () => {
  const settings = parseSettings('gateway', { HOST: '127.0.0.1', LAME_DUCK_MS: '0', GRACE_MS: '0' })
  const admission = createAdmission({ most: MOST, targetMs: 500 })
  const facts = { readiness: () => READY, status: () => ({}), admission }
  const log = (event: string, told: { port?: number } = {}) => {
    if (event === 'listening') url = `http://127.0.0.1:${told.port}`
  }
  const base = createService(settings, log, facts)
  base.app.post('/slow', () => new Promise((resolve) => answers.push(() => resolve({ done: true }))))
  running = await runService(base, { settings, log })
})
test.after(async () => {
  await running.drain()
})

const waitFor = (waiting: number) => eventually(() => assert.is(answers.length, waiting))
const answerAll = () => {
  for (const answer of answers.splice(0)) answer()
}

test('refuses at once what is too much, says when to come again, and goes on with what was begun', async () => {
  const begun = [call(`${url}/slow`, {}), call(`${url}/slow`, {})]
  await waitFor(MOST)
  const dispatcher = new Agent({ connections: 1 })
  let connections = 0
  dispatcher.on('connect', () => {
    connections++
  })
  for (let count = 0; count < 20; count++) {
    const asked = await request(`${url}/slow`, { method: 'POST', dispatcher, body: 'x'.repeat(1000) })
    assert.is(asked.statusCode, 503)
    assert.is(asked.headers['retry-after'], '1')
    assert.is(((await asked.body.json()) as { error: { code: string } }).error.code, 'overloaded')
  }
  assert.is(connections, 1)
  await dispatcher.close()
  answerAll()
  assert.equal(
    (await Promise.all(begun)).map(({ status }) => status),
    [200, 200],
  )
  const next = call(`${url}/slow`, {})
  await waitFor(1)
  answerAll()
  assert.is((await next).status, 200)
})

test('answers those who watch it however much it has to do, and tells them how many were refused', async () => {
  const begun = [call(`${url}/slow`, {}), call(`${url}/slow`, {})]
  await waitFor(MOST)
  for (const path of ['/healthz', '/readyz', '/v1/status']) assert.is((await call(url + path)).status, 200)
  const { body } = await call(`${url}/metrics`)
  assert.match(body, /longshore_requests_shed_total\{[^}]*\} 20\n/)
  assert.match(body, /longshore_requests_limit\{[^}]*\} 2\n/)
  answerAll()
  await Promise.all(begun)
})

test('refuses a large body before it has come', async () => {
  const begun = [call(`${url}/slow`, {}), call(`${url}/slow`, {})]
  await waitFor(MOST)
  assert.is(await announceBody(url, '/slow', 1 << 20), 503)
  answerAll()
  await Promise.all(begun)
})

test('tells that a body is too large rather than to come again with it', async () => {
  assert.is(await announceBody(url, '/slow', 300 << 20), 413)
})

test('gives the place of a client that has gone to the next one', async () => {
  const controller = new AbortController()
  const { signal } = controller
  const gone = [1, 2].map(() => request(`${url}/slow`, { method: 'POST', signal }).catch(() => 'gone'))
  await waitFor(MOST)
  controller.abort()
  assert.equal(await Promise.all(gone), ['gone', 'gone'])
  await eventually(async () => {
    const asked = call(`${url}/slow`, {})
    const first = await Promise.race([asked, waitFor(MOST + 1)])
    assert.is(first, undefined)
    answerAll()
    assert.is((await asked).status, 200)
  })
})

test.run()
