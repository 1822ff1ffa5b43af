import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createHttpClient, type HttpClient } from '../../lib/adapters/http/client.ts'
import { UnreachableError } from '../../lib/adapters/http/unreachable.ts'
import type { Group } from '../../lib/domain/service.ts'
import { createIndexClient } from '../../services/gateway/index-client.ts'
import { createShardCounters } from '../../services/gateway/shard-counters.ts'
import { createTaskOrder } from '../../services/gateway/task-order.ts'
import { startDeadAddress } from '../support/dead-address.ts'
import { eventually } from '../support/eventually.ts'
import { type StubReply, type StubServer, startStub } from '../support/stub-server.ts'

const REF = { name: 'dg_8', digest: 'sha256:8' }
const NOBODY = 'http://127.0.0.1:9'
const HIT = { id: 'x', score: 1, item: { id: 'x', text: 'x' } }
const started: StubServer[] = []

test.after(async () => {
  await Promise.all(started.map((stub) => stub.stop()))
})

async function start(reply: () => StubReply): Promise<StubServer> {
  const stub = await startStub(reply)
  started.push(stub)
  return stub
}

const hitsOf = (cluster: number): StubReply => ({
  body: JSON.stringify({ generation: REF.name, digest: REF.digest, cluster, hits: [[HIT]] }),
})
const answering = () => start(() => hitsOf(0))
const elsewhere = () =>
  start(() => ({
    status: 409,
    body: JSON.stringify({ error: { code: 'generation_not_served', message: 'only dg_7' } }),
  }))

type Options = {
  readonly groups?: readonly Group[]
  readonly client?: HttpClient
  readonly attemptMs?: number
}

function makeClient(endpoints: Record<string, readonly string[]>, options: Options = {}) {
  const { groups = ['a', 'b'], client = createHttpClient(), attemptMs = 1000 } = options
  const discovery = { endpointsOf: (service: string) => endpoints[service] ?? [], refresh: () => undefined }
  const askShard = createIndexClient({
    ref: REF,
    groups,
    discovery,
    client,
    attemptMs,
    hedgeShare: 0.05,
    counters: createShardCounters(),
  })
  return async (timeoutMs = 5000) => {
    const deadline = performance.now() + timeoutMs
    const signal = AbortSignal.timeout(timeoutMs)
    const answer = await askShard({ cluster: 0, vectors: new Float32Array(4), k: 1, signal, deadline })
    return answer.hits[0]
  }
}

async function failureOf(asking: Promise<unknown>): Promise<Error> {
  return await asking.then(
    () => assert.unreachable('it answered'),
    (error) => error,
  )
}

test('finds the tasks of every group, and asks all those that serve its generation', async () => {
  const [one, other, former] = [await answering(), await answering(), await elsewhere()]
  const ask = makeClient({ index_0: [former.url, one.url], index_0_b: [other.url] })
  for (let count = 0; count < 100; count++) assert.equal(await ask(), [HIT])
  const share = [one, other].map(({ requests }) => requests.length)
  // However their times differ, each is measured first.
  assert.ok(share[0]! + share[1]! >= 100 && Math.min(...share) >= 8, String(share))
})

test('hardly asks a task again that serves another generation', async () => {
  const [mine, former] = [await answering(), await elsewhere()]
  const ask = makeClient({ index_0: [former.url], index_0_b: [mine.url] })
  const begun = performance.now()
  for (let count = 0; count < 200; count++) await ask()
  const seconds = (performance.now() - begun) / 1000
  assert.ok(former.requests.length <= 1 + seconds, `${former.requests.length} in ${seconds} s`)
})

test('waits for a task of its generation while only the other group answers', async () => {
  const [mine, former] = [await answering(), await elsewhere()]
  const endpoints: Record<string, string[]> = { index_0: [former.url], index_0_b: [] }
  const answer = makeClient(endpoints)()
  endpoints.index_0_b = [NOBODY]
  setImmediate(() => {
    endpoints.index_0_b = [mine.url]
  })
  assert.equal(await answer, [HIT])
})

test('tells at once when tasks of every group serve another generation', async () => {
  const [one, other] = [await elsewhere(), await elsewhere()]
  const error = await failureOf(makeClient({ index_0: [one.url], index_0_b: [other.url] })())
  assert.is((error as Error & { code: string }).code, 'generation_not_served')
  const alone = await failureOf(makeClient({ index_0: [one.url] }, { groups: ['a'] })())
  assert.is((alone as Error & { code: string }).code, 'generation_not_served')
})

test('never takes the answer of another cluster, whose task has the address of one that ended', async () => {
  const [mine, foreign] = [await answering(), await start(() => hitsOf(1))]
  const ask = makeClient({ index_0: [foreign.url, mine.url] }, { groups: ['a'] })
  for (let count = 0; count < 10; count++) await ask()
  assert.is(mine.requests.length, 10)
  assert.instance(
    await failureOf(makeClient({ index_0: [foreign.url] }, { groups: ['a'] })(200)),
    UnreachableError,
  )
})

test('asks a task last for a second that could not answer, then one request tries it before all others', () => {
  let now = 0
  const order = createTaskOrder(() => now)
  const listFirst = (count: number) =>
    Array.from({ length: count }, () => order.arrange(['a', 'b', 'c'])[0] ?? '').sort()
  order.rest('b')
  for (let turn = 0; turn < 6; turn++) assert.is(order.arrange(['a', 'b', 'c']).at(-1), 'b')
  now = 1001
  const tried = listFirst(9)
  assert.is(tried.filter((address) => address === 'b').length, 1)
  order.trust('b')
  assert.equal(listFirst(3), ['a', 'b', 'c'])
})

test('asks a task of the other group next when one cannot be reached', async () => {
  const [dead, mine] = [await start(() => 'hang up'), await answering()]
  const ask = makeClient({ index_0: [mine.url], index_0_b: [dead.url, NOBODY] })
  for (let count = 0; count < 20; count++) assert.equal(await ask(), [HIT])
  assert.is(mine.requests.length, 20)
  assert.ok(dead.requests.length <= 2, String(dead.requests.length))
})

test('asks another one soon when an address lets connections wait', async () => {
  const [dead, other] = [await startDeadAddress(), await answering()]
  const client = createHttpClient({ connectMs: 100 })
  const ask = makeClient({ index_0: [dead.url, other.url] }, { client, attemptMs: 60_000 })
  const from = performance.now()
  for (let count = 0; count < 4; count++) assert.equal(await ask(60_000), [HIT])
  assert.ok(performance.now() - from < 30_000)
  await dead.stop()
})

test('closes the connection to a task that it does not wait for any more, so that the task can stop', async () => {
  const [silent, mine] = [await start(() => 'never'), await answering()]
  const ask = makeClient({ index_0: [silent.url, mine.url] }, { groups: ['a'] })
  for (let count = 0; count < 4; count++) assert.equal(await ask(), [HIT])
  assert.ok(silent.requests.length > 0)
  await eventually(() => assert.is(silent.left(), silent.requests.length))
})

test('asks nobody else when the question itself is refused, and does not hold it against the task', async () => {
  const refusing = () =>
    start(() => ({
      status: 413,
      body: JSON.stringify({ error: { code: 'filter_too_large', message: 'too much' } }),
    }))
  const [one, other] = [await refusing(), await refusing()]
  const ask = makeClient({ index_0: [one.url, other.url] })
  for (let count = 0; count < 4; count++) {
    const error = (await failureOf(ask())) as Error & { status: number; code: string }
    assert.equal([error.status, error.code], [413, 'filter_too_large'])
  }
  assert.equal([one.requests.length, other.requests.length], [2, 2])
})

test('asks all of them when all of them rest, and nobody when there is nobody', () => {
  const order = createTaskOrder(() => 0)
  order.rest('a')
  order.rest('b')
  assert.equal([...order.arrange(['a', 'b'])].sort(), ['a', 'b'])
  assert.equal(order.arrange([]), [])
})

test.run()
