import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createItemFetcher } from '../../../lib/adapters/http/fetch-item.ts'
import { rejectsWith } from '../../support/errors.ts'

const ANSWERS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/text': (response) =>
    void response.writeHead(200, { 'content-type': 'Text/Plain; charset=utf-8' }).end('a ship'),
  '/once': (response) => void response.writeHead(302, { location: '/text' }).end(),
  '/for-ever': (response) => void response.writeHead(301, { location: '/for-ever' }).end(),
  '/elsewhere': (response) => void response.writeHead(301, { location: 'file:///etc/hostname' }).end(),
  '/large': (response) =>
    void response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.alloc(300_000)),
  '/gone': (response) => void response.writeHead(410).end('gone'),
  '/slow': (response) => void response.writeHead(200, { 'content-type': 'image/png' }).write('begun'),
}
const server = createServer((request, response) => ANSWERS[request.url!]!(response))
const { signal } = new AbortController()
let root = ''

test.before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
test.after(() => {
  server.closeAllConnections()
  server.close()
})

test('gives the bytes and the plain kind of content, also behind a redirect', async () => {
  for (const path of ['/text', '/once']) {
    const { bytes, mediaType } = await make().fetch(root + path, signal)
    assert.equal([Buffer.from(bytes).toString(), mediaType], ['a ship', 'text/plain'])
  }
})

const REFUSED: [string, RegExp][] = [
  ['/for-ever', /more than 3 redirects/],
  ['/elsewhere', /leads to file:/],
  ['/large', /is larger than 0\.2 MB/],
  ['/gone', /status 410/],
]
for (const [path, reason] of REFUSED) {
  test(`tells why it does not take ${path}`, async () => {
    await rejectsWith(make().fetch(root + path, signal), 'remote', reason)
  })
}

test('waits no longer than it may', async () => {
  await rejectsWith(make(0.2).fetch(`${root}/slow`, signal), 'remote', /no whole answer within 0\.2 s/)
})

test('ends at once when the command is interrupted', async () => {
  const interrupt = new AbortController()
  const fetching = make().fetch(`${root}/slow`, interrupt.signal)
  interrupt.abort(new Error('interrupted'))
  await fetching.then(
    () => assert.unreachable('it ended well'),
    (error: Error) => assert.is(error.message, 'interrupted'),
  )
})

test('refuses what is no address', async () => {
  await rejectsWith(make().fetch('nowhere', signal), 'remote', /nowhere: /)
})

test.run()

function make(seconds = 60) {
  return createItemFetcher({ megabytes: 0.2, seconds, redirects: 3 })
}
