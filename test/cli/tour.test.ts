import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createTour, refuseForeignReleases } from '../../lib/cli/tour.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import type { Release } from '../../lib/domain/record.ts'
import { makeTempDir } from '../support/temp.ts'

const SCRIPTS = {
  greet: `console.log('hello', process.argv.slice(3).join(' '))`,
  refuse: `console.log('no'); process.exitCode = 13`,
  report: `console.log('{"gateway": {"url": "http://127.0.0.1:1"}}')`,
  wait: `process.on('SIGTERM', () => process.exit(130)); setInterval(() => {}, 1000)`,
}

const directory = makeTempDir()
mkdirSync(join(directory, 'scripts'))
for (const [name, source] of Object.entries(SCRIPTS))
  writeFileSync(join(directory, `scripts/${name}.mjs`), source)
process.chdir(directory)

/** A tour and all that it has printed. */
function begin({ profileFile = 'config/local.yml', signal = new AbortController().signal } = {}) {
  const printed: string[] = []
  const tour = createTour({ profileFile, signal, print: (text) => void printed.push(text) })
  return { tour, read: () => printed.join('') }
}

async function kindOf(done: Promise<unknown>): Promise<string> {
  const error = await done.then(
    () => new Error('nothing was raised'),
    (raised: unknown) => raised,
  )
  return error instanceof LongshoreError ? error.kind : String(error)
}

test('shows a command as it would be typed, above what it prints', async () => {
  const { tour, read } = begin()
  await tour.run('greet', 'dg_1', '--yes')
  assert.is(read(), '\n$ npx zx scripts/greet.mjs dg_1 --yes\nhello dg_1 --yes\n')
})

test('hands another profile on to every command', async () => {
  const { tour, read } = begin({ profileFile: 'my.yml' })
  await tour.run('greet')
  assert.match(read(), 'hello --profile my.yml\n')
})

test('stops with the kind of error that a command ended with', async () => {
  const { tour, read } = begin()
  assert.is(await kindOf(tour.run('refuse')), 'gate')
  assert.match(read(), 'no\n')
})

test('reads the document of a command silently', async () => {
  const { tour, read } = begin()
  assert.equal(await tour.read('report'), { gateway: { url: 'http://127.0.0.1:1' } })
  assert.is(read(), '')
})

test('ends the running command when the tour is interrupted', async () => {
  const controller = new AbortController()
  const { tour } = begin({ signal: controller.signal })
  const running = kindOf(tour.run('wait'))
  controller.abort(new LongshoreError('interrupted', 'interrupted'))
  assert.is(await running, 'interrupted')
})

test('asks the gateway and prints what it answers', async () => {
  const body = JSON.stringify({
    generation: 'dg_2',
    hits: [{ id: 'a', score: 0.98765, item: { text: 'Which way?' } }],
  })
  const server = createServer((_request, response) => response.end(body)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { tour, read } = begin()
  const hits = await tour.ask(url, 'which way')
  server.close().closeAllConnections()
  assert.is(hits[0]?.id, 'a')
  assert.match(read(), 'dg_2 answers:\n  0.988  Which way?\n')
  assert.is(await kindOf(tour.ask(url, 'which way')), 'remote')
})

test('refuses a fleet that has served generations of somebody else', () => {
  const release = (name: string): Release => ({
    id: 1,
    generation: { name, digest: 'sha256:0' },
    command: 'update',
    at: '2026-01-01T00:00:00.000Z',
    by: 'me',
  })
  assert.not.throws(() => refuseForeignReleases([release('dg_1')], ['dg_1', 'dg_2']))
  assert.throws(() => refuseForeignReleases([release('dg_1'), release('dg_7')], ['dg_1']), /dg_7/)
})

test.run()
