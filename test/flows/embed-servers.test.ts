import { setTimeout as wait } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEmbeddingServer } from '../../lib/adapters/embed/create-server.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { embedContents } from '../../lib/flows/embed-contents.ts'
import { describeTexts, listEntries, vectorOf } from '../support/embed-run.ts'
import { type StubBehaviour, startEmbeddingStub } from '../support/embedding-stub.ts'
import { eventually } from '../support/eventually.ts'
import { FakeLedger } from '../support/fakes/ledger.ts'

const TEXTS = Array.from({ length: 1500 }, (_, index) => `text ${index}`)
const forever = new AbortController().signal

const answerWell = (texts: readonly string[]) => ({ body: JSON.stringify({ outputs: texts.map(vectorOf) }) })
const start = (
  answer: (texts: readonly string[], call: number) => StubBehaviour | Promise<StubBehaviour>,
  port?: number,
) => {
  let calls = 0
  return startEmbeddingStub(({ body }) => answer(JSON.parse(body.toString()).inputs, ++calls), port)
}

function embed(
  url: string,
  { ledger = new FakeLedger(2), timeoutMs = 10_000, signal = forever, batchItems = 16 } = {},
) {
  const server = createEmbeddingServer({
    endpoints: () => [url],
    model: { name: 'm', dimensions: 2, normalized: false },
    extraction: { protocol: 'tf-serving' },
    timeoutMs,
  })
  const source = listEntries(TEXTS)
  const run = embedContents({ source, server, ledger, signal, extraction: { batchItems } })
  return { ledger, ended: run.finally(() => server.close()) }
}

const isWhole = (ledger: FakeLedger) => describeTexts(TEXTS, ledger).every((found) => found === 'embedded')

test('comes through the death of a server that starts again', async () => {
  const first = await start(async (texts) => {
    await wait(2)
    return answerWell(texts)
  })
  const { ledger, ended } = embed(first.url)
  await eventually(() => assert.ok(ledger.size > 300))
  await first.stop()
  const kept = ledger.size
  assert.ok(kept < TEXTS.length)
  const second = await start(answerWell, Number(new URL(first.url).port))
  const { items } = await ended
  await second.stop()
  assert.is(items, TEXTS.length)
  assert.ok(isWhole(ledger))
  const asked = [...first.requests, ...second.requests].flatMap(
    ({ body }) => JSON.parse(body.toString()).inputs,
  )
  // Whatever was under way when it died, a window of requests at most, was asked for again.
  assert.ok(asked.length - TEXTS.length <= 64 * 16 && new Set(asked).size === TEXTS.length)
})

test('stores no garbage, whatever a server mixes with its answers', async () => {
  const garbage: ((texts: readonly string[]) => StubBehaviour)[] = [
    () => ({ body: '<html>' }),
    () => 'hang up',
    () => 'cut',
    (texts) => answerWell(texts.slice(1)),
    (texts) => ({ body: JSON.stringify({ outputs: texts.map(() => [1, 2, 3]) }) }),
    () => ({ status: 502, body: 'Bad Gateway' }),
    () => ({ status: 503, headers: { 'retry-after': '0' }, body: '{"error":"busy"}' }),
  ]
  const server = await start((texts, call) =>
    call % 3 === 0 ? garbage[(call / 3) % garbage.length]!(texts) : answerWell(texts),
  )
  const { ledger, ended } = embed(server.url)
  await ended
  await server.stop()
  assert.equal(
    describeTexts(TEXTS, ledger).filter((found) => found === 'wrong' || found === undefined),
    [],
  )
})

test('buries the content for which a server has no number, with what it answered', async () => {
  const server = await start((texts) => ({
    body: `{"outputs":[${texts.map((text) => (text === 'text 1001' ? '[NaN, 1]' : JSON.stringify(vectorOf(text))))}]}`,
  }))
  const { ledger, ended } = embed(server.url)
  const { dead, items } = await ended
  await server.stop()
  assert.equal([dead, items], [1, TEXTS.length - 1])
  assert.match([...ledger.dead.values()][0]!, /not finite/)
})

test('sends less to a server that would not answer in time', async () => {
  let busy = 0
  const server = await start(async (texts) => {
    // More than four at a time are answered too late.
    await wait(++busy > 4 ? 600 : 5)
    busy--
    return answerWell(texts)
  })
  const { ledger, ended } = embed(server.url, { timeoutMs: 400 })
  await ended
  await server.stop()
  assert.ok(isWhole(ledger))
})

test('stores what is under way when the operator interrupts, and continues with the rest', async () => {
  const server = await start(async (texts) => {
    await wait(5)
    return answerWell(texts)
  })
  const stop = new AbortController()
  const { ledger, ended } = embed(server.url, { signal: stop.signal })
  await eventually(() => assert.ok(ledger.size > 200))
  stop.abort(new LongshoreError('interrupted', 'interrupted'))
  const error = await ended.then(
    () => undefined,
    (reason: unknown) => reason as LongshoreError,
  )
  assert.is(error?.kind, 'interrupted')
  const asked = () =>
    server.requests.reduce((sum, { body }) => sum + JSON.parse(body.toString()).inputs.length, 0)
  assert.is(ledger.size, asked())
  await embed(server.url, { ledger }).ended
  await server.stop()
  assert.is(asked(), TEXTS.length)
  assert.ok(isWhole(ledger))
})

test.run()
