import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { CLOCK } from '../../lib/flows/embed-contents-clock.ts'
import { isClientBound } from '../../lib/flows/embed-contents-counts.ts'
import { EmbedError } from '../../lib/ports/embedding-server.ts'
import {
  createFakeServer,
  createJumpingClock,
  DIMENSIONS,
  describeTexts,
  embedTexts,
  listEntries,
  makeEntry,
} from '../support/embed-run.ts'
import { eventually } from '../support/eventually.ts'
import { FakeLedger } from '../support/fakes/ledger.ts'

const makeTexts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`)
const turn = () => new Promise(setImmediate)
const isAll = (texts: readonly string[], ledger: FakeLedger) =>
  describeTexts(texts, ledger).every((found) => found === 'embedded')

test('asks nothing again in a second run, and for identical contents once', async () => {
  const texts = [...makeTexts(500), ...makeTexts(250)]
  const first = await embedTexts(texts)
  assert.is(first.calls.flat().length, 500)
  assert.equal([first.counts!.items, first.counts!.known, first.counts!.tokens], [500, 250, 500])
  const second = await embedTexts(texts, undefined, { ledger: first.ledger })
  assert.equal([second.calls.length, second.counts!.known], [0, 750])
})

test('does not even ask what the server is where there is nothing to embed, so that none is started', async () => {
  const { server } = createFakeServer()
  const absent = { ...server, describe: () => Promise.reject(new Error('was asked')) }
  const { counts } = await embedTexts([], undefined, { server: absent })
  assert.equal([counts!.calls, counts!.items], [0, 0])
})

test('asks for what is dead no more', async () => {
  const ledger = new FakeLedger(DIMENSIONS)
  await ledger.bury(makeEntry('bad').hash, 'too long')
  const { calls } = await embedTexts(['bad', 'good'], undefined, { ledger })
  assert.equal(calls, [['good']])
})

test('keeps to the limits of the profile before those of the server', async () => {
  const limits = { limits: { items: 10, tokens: 40 }, inFlight: 2 }
  const texts = makeTexts(1000)
  const run = async (extraction: object, count = 30) => {
    const { server, calls } = createFakeServer(async () => void (await turn()), limits)
    const { counts } = await embedTexts(texts.slice(0, count), undefined, { server, extraction })
    return { sizes: calls.map((call) => call.length), window: counts!.window }
  }
  // `text 1` is estimated at four tokens, `text 12` at five.
  assert.equal((await run({})).sizes, [10, 8, 8, 4])
  assert.equal((await run({ batchTokens: 1000 })).sizes, [10, 10, 10])
  assert.equal((await run({ batchTokens: 1000, batchItems: 30 })).sizes, [30])
  assert.is((await run({}, 1000)).window, 2)
  assert.is((await run({ inFlight: 7 }, 1000)).window, 7)
})

test('reads its source no further than it can send', async () => {
  let read = 0
  async function* source() {
    for (const entry of makeTexts(100_000).map(makeEntry)) {
      read++
      yield entry
    }
  }
  const { server, calls } = createFakeServer(() => new Promise(() => undefined))
  const stop = new AbortController()
  const run = embedTexts([], undefined, {
    ...{ server, source: source(), signal: stop.signal, drainMs: 0 },
    extraction: { batchItems: 10, inFlight: 3 },
  })
  await eventually(() => assert.is(calls.length, 3))
  await turn()
  assert.ok(read <= 3 * 10 + 3 * 10, `${read} were read`)
  // The promises of this server never settle, and neither does the run.
  void run
})

test('sends less to a server that is overloaded, waits as long as it asks, and loses nothing', async () => {
  const clock = createJumpingClock()
  const texts = makeTexts(3000)
  const refusedAt: number[] = []
  const begunAt: number[] = []
  let busy = 0
  const { ledger, error, counts } = await embedTexts(
    texts,
    async (_, call) => {
      begunAt.push(clock.now())
      busy++
      await turn()
      busy--
      if (call !== 20) return
      refusedAt.push(clock.now())
      throw new EmbedError('overloaded', '429', { retryAfterMs: 7_000 })
    },
    { clock, extraction: { inFlight: 8 } },
  )
  assert.is(error, undefined)
  assert.ok(isAll(texts, ledger))
  const [refused] = refusedAt
  assert.equal(
    begunAt.filter((at) => at > refused! && at < refused! + 7_000),
    [],
  )
  assert.ok(counts!.pausedMs >= 7_000)
  assert.is(busy, 0)
})

test('comes through a server that takes two requests at a time, whatever it sends at first', async () => {
  const texts = makeTexts(2000)
  let busy = 0
  const { ledger, error } = await embedTexts(texts, async () => {
    if (busy >= 2) throw new EmbedError('overloaded', 'Model is overloaded')
    busy++
    await turn()
    busy--
  })
  assert.is(error, undefined)
  assert.ok(isAll(texts, ledger))
})

test('waits for a server that comes back, by one request at a time', async () => {
  const clock = createJumpingClock()
  const texts = makeTexts(1000)
  let busy = 0
  let most = 0
  const { ledger, error, counts } = await embedTexts(
    texts,
    async (_, call) => {
      busy++
      if (call > 20) most = Math.max(most, busy)
      await turn()
      busy--
      if (clock.now() < 60_000) throw new EmbedError('transient', 'connection refused')
      most = 0
    },
    { clock },
  )
  assert.is(error, undefined)
  assert.ok(isAll(texts, ledger))
  assert.is(most, 0)
  assert.ok(counts!.calls < 50, `${counts!.calls} calls`)
})

test('gives up on a server that gives nothing for so long, keeps what it has, and says how to go on', async () => {
  const texts = makeTexts(1000)
  const { ledger, error } = await embedTexts(
    texts,
    async (_, call) => {
      await turn()
      if (call > 5) throw new EmbedError('transient', 'cannot reach http://x: connection refused')
    },
    { giveUpMs: 120_000 },
  )
  assert.instance(error, LongshoreError)
  assert.match(error!.message, /has embedded nothing for 1[23]\d s: cannot reach http:\/\/x/)
  assert.match((error as LongshoreError).hint!, /continues/)
  assert.is(ledger.vectors.size, 5 * 64)
  const second = await embedTexts(texts, undefined, { ledger })
  assert.is(second.counts!.items, 1000 - 320)
})

test('does not wait for a server that asks for more time than a run has', async () => {
  const { error, calls } = await embedTexts(makeTexts(10), () => {
    throw new EmbedError('overloaded', '429', { retryAfterMs: 3_600_000 })
  })
  assert.match(error!.message, /asks to be left alone for 3600 s/)
  assert.is(calls.length, 1)
})

test('stops at once where nothing else would succeed, and stores what was under way', async () => {
  const { error, ledger, calls } = await embedTexts(
    makeTexts(10_000),
    async (_, call) => {
      await turn()
      if (call === 3) throw new EmbedError('stop', 'http://x answered 401: wrong key')
      await turn()
    },
    { extraction: { inFlight: 6 } },
  )
  assert.is((error as LongshoreError).kind, 'remote')
  assert.match(error!.message, /http:\/\/x answered 401: wrong key/)
  assert.is(calls.length, 6)
  assert.is(ledger.vectors.size, 5 * 64)
})

test('stores what is under way when it is interrupted, and redoes none of it', async () => {
  const stop = new AbortController()
  const texts = makeTexts(2000)
  const reason = new LongshoreError('interrupted', 'interrupted')
  const first = await embedTexts(
    texts,
    async (_, call) => {
      await turn()
      if (call === 7) stop.abort(reason)
      await turn()
    },
    { signal: stop.signal, clock: CLOCK },
  )
  assert.is(first.error, reason)
  assert.is(first.ledger.vectors.size, first.calls.flat().length)
  const second = await embedTexts(texts, undefined, { ledger: first.ledger })
  assert.is(first.calls.flat().length + second.calls.flat().length, 2000)
})

test('cuts requests off that do not end in time after an interruption', async () => {
  const stop = new AbortController()
  const reason = new LongshoreError('interrupted', 'interrupted')
  const { error, ledger } = await embedTexts(
    makeTexts(500),
    (_, call, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new EmbedError('transient', 'no answer in time')))
        if (call === 4) stop.abort(reason)
      }),
    { signal: stop.signal, clock: CLOCK, drainMs: 20 },
  )
  assert.is(error, reason)
  assert.is(ledger.size, 0)
})

test('ends when the ledger cannot be written, and raises what it said', async () => {
  const ledger = new FakeLedger(DIMENSIONS)
  const full = new LongshoreError('remote', 'the disk is full')
  let appends = 0
  const append = ledger.append.bind(ledger)
  ledger.append = async (hashes, vectors) => {
    if (++appends > 3) throw full
    await append(hashes, vectors)
  }
  const { error } = await embedTexts(makeTexts(5000), turn as () => Promise<void>, { ledger })
  assert.is(error, full)
  const second = new FakeLedger(DIMENSIONS)
  for (const [name, vector] of ledger.vectors) second.vectors.set(name, vector)
  const { counts } = await embedTexts(makeTexts(5000), undefined, { ledger: second })
  assert.is(counts!.items + counts!.known, 5000)
})

test('raises what its source raises, and stores what came before', async () => {
  const broken = new LongshoreError('corrupt', 'line 130: no JSON')
  async function* source() {
    yield* listEntries(makeTexts(130))
    throw broken
  }
  const { error, ledger } = await embedTexts([], undefined, { source: source() })
  assert.is(error, broken)
  assert.is(ledger.vectors.size % 64, 0)
})

test('writes one thing at a time into the ledger', async () => {
  const ledger = new FakeLedger(DIMENSIONS)
  let writing = 0
  const alone = async (write: () => Promise<void>) => {
    assert.is(++writing, 1)
    await turn()
    await write()
    writing--
  }
  const [append, bury] = [ledger.append.bind(ledger), ledger.bury.bind(ledger)]
  ledger.append = (hashes, vectors) => alone(() => append(hashes, vectors))
  ledger.bury = (hash, reason) => alone(() => bury(hash, reason))
  const { error, counts } = await embedTexts(
    makeTexts(1500),
    async (texts) => {
      await turn()
      if (texts.some((text) => text.endsWith('99'))) throw new EmbedError('split', 'bad')
    },
    { ledger },
  )
  assert.is(error, undefined)
  assert.equal([counts!.items, counts!.dead], [1485, 15])
})

test('tells whether this process or the server was what it waited for', async () => {
  const { counts } = await embedTexts(makeTexts(100))
  assert.is(isClientBound({ ...counts!, tookMs: 1000, busyMs: 950, pausedMs: 0 }), true)
  assert.is(isClientBound({ ...counts!, tookMs: 1000, busyMs: 500, pausedMs: 0 }), false)
  assert.is(isClientBound({ ...counts!, tookMs: 1000, busyMs: 500, pausedMs: 480 }), true)
})

test.run()
