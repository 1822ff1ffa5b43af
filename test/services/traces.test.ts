import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { FinishedSpan } from '../../services/trace/exporter.ts'
import { parseTraceParent, renderTraceParent } from '../../services/trace/traceparent.ts'
import { eventually } from '../support/eventually.ts'
import { makeGeneration } from '../support/generation.ts'
import { type SearchSystem, startSearchSystem } from '../support/search-system.ts'
import { call, type ServiceProcess, waitUntilReady } from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'

const LONG_MS = 60_000
const TRACE = 'af7651916cd43dd8448eb211c80319cc'
const CALLER = 'b7ad6b7169203331'

type Received = FinishedSpan & { readonly service: string }
const received: Received[] = []
let collector: Server
let system: SearchSystem
let gateway: ServiceProcess
let TRACES: string

/** Takes what an OpenTelemetry collector would take. */
async function startCollector(): Promise<Server> {
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request) text += part
    assert.is(request.url, '/v1/traces')
    const { resourceSpans } = JSON.parse(text)
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = resource.attributes[0].value.stringValue
      for (const { spans } of scopeSpans) {
        received.push(...spans.map((span: FinishedSpan) => ({ ...span, service })))
      }
    }
    response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

test.before(async () => {
  collector = await startCollector()
  TRACES = JSON.stringify({ url: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`, share: 1 })
  const directory = makeTempDir()
  const manifest = await makeGeneration(directory, { dimensions: 64 })
  system = await startSearchSystem(directory, manifest, { TRACES })
  gateway = await system.startGateway()
  await waitUntilReady(gateway)
})
test.after(async () => {
  await system.stop()
  collector.closeAllConnections()
  collector.close()
})

const search = (headers: Record<string, string> = {}, url = gateway.url) =>
  fetch(`${url}/v1/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: 'bicycle chain', k: 1, nprobe: 2 }),
  })
const spansOf = (traceId: string) => received.filter((span) => span.traceId === traceId)

test('a query is one trace, from who asked over the gateway to extraction and index services', async () => {
  assert.is((await search({ traceparent: `00-${TRACE}-${CALLER}-01` })).status, 200)
  const spans = await eventually(() => {
    const found = spansOf(TRACE)
    // At the gateway, and for extraction and two shards both ends of the request.
    assert.is(found.length, 7)
    return found
  }, LONG_MS)
  const root = spans.find(({ service, kind }) => service === 'longshore-gateway' && kind === 2)!
  assert.equal([root.name, root.parentSpanId], ['POST /v1/search', CALLER])
  const asked = spans.filter(({ service, kind }) => service === 'longshore-gateway' && kind === 3)
  assert.ok(asked.every(({ parentSpanId }) => parentSpanId === root.spanId))
  const answered = spans.filter(({ service }) => service !== 'longshore-gateway')
  assert.equal(answered.map(({ service }) => service).sort(), [
    'longshore-extraction',
    'longshore-index',
    'longshore-index',
  ])
  for (const { parentSpanId } of answered) assert.ok(asked.some(({ spanId }) => spanId === parentSpanId))
  for (const { startTimeUnixNano, endTimeUnixNano } of spans) {
    assert.ok(BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano))
    assert.ok(Math.abs(Number(BigInt(startTimeUnixNano) / 1_000_000n) - Date.now()) < 600_000)
  }
})

test('a gateway begins a trace by itself, of the share that it is told', async () => {
  assert.is((await search()).status, 200)
  const spans = await eventually(() => {
    const [other] = received.map(({ traceId }) => traceId).filter((id) => id !== TRACE)
    const found = spansOf(other ?? '')
    assert.is(found.length, 7)
    return found
  }, LONG_MS)
  assert.is(spans.filter(({ parentSpanId }) => parentSpanId === undefined).length, 1)
})

test('records nothing of a trace that its caller does not record, and nothing of what watches services', async () => {
  const [recorded, unrecorded] = ['2'.repeat(32), '1'.repeat(32)]
  assert.is((await search({ traceparent: `00-${unrecorded}-${CALLER}-00` })).status, 200)
  await call(`${gateway.url}/v1/status`)
  await search({ traceparent: `00-${recorded}-${CALLER}-01` })
  await eventually(() => assert.is(spansOf(recorded).length, 7), LONG_MS)
  assert.equal(spansOf(unrecorded), [])
})

test('a collector that is gone fails no query, and is told in the log', async () => {
  const env = { TRACES: JSON.stringify({ url: 'http://127.0.0.1:9', share: 1 }) }
  const other = await system.startGateway(env)
  await waitUntilReady(other)
  assert.is((await search({}, other.url)).status, 200)
  await eventually(() => assert.match(other.log(), '"event":"spans_lost"'), LONG_MS)
  assert.is((await search({}, other.url)).status, 200)
})

test('sends no trace anywhere unless it is told where', async () => {
  const [told, untold] = ['3'.repeat(32), '4'.repeat(32)]
  const other = await system.startGateway({ TRACES: '' })
  await waitUntilReady(other)
  await search({ traceparent: `00-${untold}-${CALLER}-01` }, other.url)
  await search({ traceparent: `00-${told}-${CALLER}-01` })
  await eventually(() => assert.is(spansOf(told).length, 7), LONG_MS)
  assert.equal(spansOf(untold), [])
})

test('reads traceparent as W3C has it, and takes no other', () => {
  const known = { traceId: TRACE, spanId: CALLER, isSampled: true }
  assert.equal(parseTraceParent(renderTraceParent(known)), known)
  assert.equal(parseTraceParent(`cc-${TRACE}-${CALLER}-01-future`), known)
  const wrong = [
    '',
    'x',
    `00-${TRACE}-${CALLER}`,
    `ff-${TRACE}-${CALLER}-01`,
    `00-${'0'.repeat(32)}-${CALLER}-01`,
  ]
  const more = [
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${CALLER}-01`,
    ` 00-${TRACE}-${CALLER}-01`,
  ]
  for (const header of [undefined, ...wrong, ...more]) assert.is(parseTraceParent(header), undefined, header)
})

test.run()
