import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createBuiltinServer } from '../../lib/adapters/embed/builtin.ts'
import { createEmbeddingServer } from '../../lib/adapters/embed/create-server.ts'
import { embedLexical } from '../../lib/domain/lexical.ts'
import type { EmbedFault } from '../../lib/ports/embedding-server.ts'
import { type Row, SPEAKERS, type Speaker } from '../support/embedding-speakers.ts'
import { type StubBehaviour, type StubRequest, startEmbeddingStub } from '../support/embedding-stub.ts'
import { describeEmbeddingServer, faultOf, makeImage, makeText } from './embedding-server.ts'

const DIMENSIONS = 3
const KEY = 'secret-key'
const forever = new AbortController().signal
const rowOf = (text: string): number[] => [text.length, text.charCodeAt(0) / 2 ** 20, 1e-30]

/** A refusal of the protocol that asks for this. */
function refuseFor({ refusals }: Speaker, fault: EmbedFault, headers: Record<string, string>): StubBehaviour {
  const [, status, said] = refusals.find(([asked]) => asked === fault)!
  return { status, headers, body: JSON.stringify(said) }
}

type Subject = Awaited<ReturnType<typeof startSubject>>
type Answer = (rows: readonly Row[], asked: readonly string[]) => StubBehaviour

/** A stub that speaks the protocol well, but for `answer` to requests for embeddings and `other` to all others. */
async function startSubject(
  speaker: Speaker,
  {
    answer = speaker.write,
    other,
    timeoutMs = 10_000,
  }: { answer?: Answer; other?: Speaker['loading']; timeoutMs?: number } = {},
) {
  const reply = (request: StubRequest): StubBehaviour => {
    const asked = speaker.read(request)
    if (asked) return answer(asked.map(rowOf), asked)
    if (other && request.path in other) return other[request.path]!
    if (!(request.path in speaker.well)) return { status: 404, body: '{"error":"not found"}' }
    return { body: JSON.stringify(speaker.well[request.path]) }
  }
  const stub = await startEmbeddingStub(reply)
  const server = createEmbeddingServer({
    endpoints: () => [stub.url],
    model: { name: 'm', dimensions: DIMENSIONS, normalized: true },
    extraction: { ...speaker.extraction, keyVariable: 'SOME_KEY' } as never,
    timeoutMs,
    env: { SOME_KEY: KEY },
  })
  const embed = (...texts: string[]) => server.embed(texts.map(makeText), forever)
  return { ...stub, server, embed }
}

for (const [name, speaker] of Object.entries(SPEAKERS)) {
  describeEmbeddingServer(name, async () => {
    const { server, stop } = await startSubject(speaker)
    return {
      ...{ server, stop, hasImages: speaker.hasImages },
      expect: (contents) =>
        contents.flatMap((content) => {
          const text = content.kind === 'text' ? content.text : Buffer.from(content.bytes).toString('base64')
          return [...Float32Array.from(rowOf(text))]
        }),
    }
  })
  describeFaults(name, speaker)
}

describeEmbeddingServer('the built-in model', async () => ({
  server: createBuiltinServer({ dimensions: 16, fingerprint: 'sha256:x' }),
  expect: (contents) => [
    ...embedLexical(
      contents.map((content) => ('text' in content ? content.text : '')),
      16,
    ),
  ],
  hasImages: false,
  stop: async () => undefined,
}))

function describeFaults(name: string, speaker: Speaker): void {
  const promise = (
    promised: string,
    parts: Parameters<typeof startSubject>[1],
    check: (subject: Subject) => Promise<void>,
  ) =>
    test(`${name} ${promised}`, async () => {
      const subject = await startSubject(speaker, parts)
      try {
        await check(subject)
      } finally {
        await subject.server.close()
        await subject.stop()
      }
    })
  const wrong: Record<string, (rows: readonly Row[]) => readonly Row[]> = {
    'too few': (rows) => rows.slice(1),
    'too many': (rows) => [...rows, rows[0]!],
    'other dimensions': (rows) => rows.map((row) => row.slice(1)),
    NaN: (rows) => [rows[0]!, [1, Number.NaN, 3]],
    infinity: (rows) => [[Number.NEGATIVE_INFINITY, 1, 2], rows[1]!],
    ...(!speaker.isBinary && { 'a word': (rows: readonly Row[]) => [rows[0]!, [1, 'x', 3]] }),
  }
  for (const [what, spoil] of Object.entries(wrong)) {
    const answer: Answer = (rows, asked) => speaker.write(spoil(rows), asked)
    promise(`takes ${what} in an answer for a fault of that batch`, { answer }, async ({ embed, url }) => {
      const { message } = await faultOf(embed('one', 'two'), 'split')
      assert.match(message, url)
    })
  }

  const broken: Record<string, StubBehaviour> = {
    'what is no answer of its': { body: '<html>Welcome to nginx!</html>' },
    'an empty answer': { body: '{}' },
    null: { body: 'null' },
    'an answer that ends in the middle': 'cut',
    'a connection that is closed': 'hang up',
  }
  for (const [what, behaviour] of Object.entries(broken)) {
    promise(`asks again after ${what}`, { answer: () => behaviour }, async ({ embed, url }) => {
      const { message } = await faultOf(embed('one', 'two'), 'transient')
      assert.match(message, url)
    })
  }

  promise('takes silence for overload', { answer: () => 'never', timeoutMs: 200 }, async ({ embed }) => {
    await faultOf(embed('one'), 'overloaded', /no answer in time/)
  })

  for (const [fault, status, said] of speaker.refusals) {
    const body = typeof said === 'string' ? said : JSON.stringify(said)
    promise(
      `takes ${status} ${body.slice(0, 60)} for: ${fault}`,
      { answer: () => ({ status, body }) },
      async (subject) => {
        const { message } = await faultOf(subject.embed('one', 'two'), fault)
        assert.match(message, `answered ${status}: `)
        assert.not.match(message, KEY)
        assert.not.match(message, '{')
      },
    )
  }

  promise(
    'waits as long as the server asks',
    { answer: () => refuseFor(speaker, 'overloaded', { 'retry-after': '7' }) },
    async ({ embed }) => {
      const { retryAfterMs } = await faultOf(embed('one'), 'overloaded')
      assert.is(retryAfterMs, 7_000)
    },
  )

  promise('is not ready while its model is not', { other: speaker.loading }, async ({ server, url }) => {
    const problem = await server.findProblem(forever)
    assert.match(problem!, url)
  })

  promise(
    'sends its key, and is not ready when nobody is there',
    {},
    async ({ server, embed, requests, stop }) => {
      await embed('one')
      assert.ok(requests.length > 0)
      for (const { headers } of requests) assert.is(headers.authorization, `Bearer ${KEY}`)
      await stop()
      assert.match((await server.findProblem(forever))!, /cannot reach/)
      await faultOf(embed('one'), 'transient', /cannot reach/)
      await (speaker.extraction.protocol === 'tei'
        ? faultOf(server.describe(forever), 'transient')
        : undefined)
    },
  )
}

test('tells what text-embeddings-inference tells of itself', async () => {
  const { server, stop, embed } = await startSubject(SPEAKERS.tei!)
  const { limits, inFlight, fingerprint } = await server.describe(forever)
  assert.equal(limits, { bytes: 1 << 20, items: 32, tokens: 16384 })
  assert.is(inFlight, 16)
  assert.match(fingerprint!, /^sha256:/)
  assert.is((await embed('one')).tokens, 7)
  await stop()
})

test('tells the limits of OpenAI, and the tokens that it counted', async () => {
  const { server, stop, embed } = await startSubject(SPEAKERS.openai!)
  assert.equal((await server.describe(forever)).limits, { items: 2048, tokens: 300_000 })
  assert.is((await embed('one')).tokens, 7)
  await stop()
})

test('reads the numbers that TensorFlow Serving writes and JSON does not have', async () => {
  const body = '{"outputs": [[9e-07.0, 1.0, -2.5E+03.0]]}'
  const { embed, stop } = await startSubject(SPEAKERS['tf-serving with inputs']!, {
    answer: () => ({ body }),
  })
  assert.equal([...(await embed('one')).vectors], [...Float32Array.from([9e-7, 1, -2500])])
  await stop()
})

test('names the outputs of a server that has several, and stops', async () => {
  const body = '{"outputs": {"scores": [[1,2,3]], "embedding": [[1,2,3]]}}'
  const { embed, stop } = await startSubject(SPEAKERS['tf-serving with inputs']!, {
    answer: () => ({ body }),
  })
  await faultOf(embed('one'), 'stop', /scores, embedding; extraction.output/)
  await stop()
  const tensors = ['A', 'B'].map((name) => ({ name, datatype: 'FP32', data: [1, 2, 3] }))
  const answer = () => ({ body: JSON.stringify({ outputs: tensors }) })
  const kserve = await startSubject(SPEAKERS.kserve!, { answer })
  await faultOf(kserve.embed('one'), 'stop', /the tensors A, B; extraction.output/)
  await kserve.stop()
})

test('names the inputs of a model that has several, and stops', async () => {
  const inputs = [{ name: 'ids' }, { name: 'mask' }]
  const other = { '/v2/models/m': { body: JSON.stringify({ inputs }) } }
  const { embed, stop } = await startSubject(SPEAKERS.kserve!, { other })
  await faultOf(embed('one'), 'stop', /the inputs ids, mask; extraction.input/)
  await stop()
})

test('stops where Triton has no float32 to give', async () => {
  const head = JSON.stringify({
    outputs: [{ name: 'E', datatype: 'FP16', parameters: { binary_data_size: 6 } }],
  })
  const headers = { 'inference-header-content-length': String(head.length) }
  const answer = () => ({ headers, body: Buffer.concat([Buffer.from(head), Buffer.alloc(6)]) })
  const { embed, stop } = await startSubject(SPEAKERS.triton!, { answer })
  await faultOf(embed('one'), 'stop', /E as FP16, expected FP32/)
  await stop()
})

test('knows the answers of DeepDetect by what was sent, and the one that comes alone', async () => {
  const speaker = SPEAKERS.deepdetect!
  const answerWith = (predictions: (asked: readonly string[]) => unknown) => async (texts: string[]) => {
    const answer: Answer = (_, asked) => ({
      body: JSON.stringify({ body: { predictions: predictions(asked) } }),
    })
    const { embed, stop } = await startSubject(speaker, { answer })
    try {
      return [...(await embed(...texts)).vectors]
    } finally {
      await stop()
    }
  }
  const echo = answerWith((asked) => asked.map((uri) => ({ uri, vals: [uri.length, 0, 0] })).reverse())
  assert.equal(await echo(['a', 'bcd', 'a', 'ef']), [1, 0, 0, 3, 0, 0, 1, 0, 0, 2, 0, 0])
  assert.equal(await answerWith(() => ({ uri: 'x', vals: [1, 2, 3] }))(['a']), [1, 2, 3])
  await faultOf(echo(['1', '0']), 'split', /in two ways/)
  const foreign = answerWith((asked) => asked.map(() => ({ uri: '7', vals: [1, 2, 3] })))
  await faultOf(foreign(['a', 'b']), 'split', /not those of the request/)
})

test('takes lists from servers that have no base64, and refuses an index twice', async () => {
  const answerWith = (data: unknown) => () => ({ body: JSON.stringify({ data }) })
  const lists = [{ embedding: [1, 2, 3] }, { embedding: [4, 5, 6] }]
  const plain = await startSubject(SPEAKERS.openai!, { answer: answerWith(lists) })
  assert.equal([...(await plain.embed('a', 'b')).vectors], [1, 2, 3, 4, 5, 6])
  await plain.stop()
  const twice = lists.map((entry) => ({ ...entry, index: 1 }))
  const doubled = await startSubject(SPEAKERS.openai!, { answer: answerWith(twice) })
  await faultOf(doubled.embed('a', 'b'), 'split', /has the index 1/)
  await doubled.stop()
})

test('waits until the budget of OpenAI is renewed that is spent', async () => {
  const headers = {
    ...{ 'x-ratelimit-remaining-requests': '10', 'x-ratelimit-reset-requests': '12h' },
    ...{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '6m0s' },
  }
  const { embed, stop } = await startSubject(SPEAKERS.openai!, { answer: () => ({ status: 429, headers }) })
  const { retryAfterMs } = await faultOf(embed('one'), 'overloaded')
  assert.is(retryAfterMs, 360_000)
  await stop()
})

test('says images to be images where a protocol mixes them', async () => {
  const { server, requests, stop } = await startSubject(SPEAKERS.openai!)
  await server.embed([makeImage()], forever)
  const { modality, input } = JSON.parse(requests.at(-1)!.body.toString())
  assert.is(modality, 'image')
  assert.match(input[0], /^data:image\/jpeg;base64,/)
  await stop()
})

test('asks equal servers in turn, and leaves the one alone that does not answer', async () => {
  const speaker = SPEAKERS['tf-serving with inputs']!
  const [one, two] = [await startSubject(speaker), await startSubject(speaker)]
  const server = createEmbeddingServer({
    endpoints: () => [one.url, two.url],
    model: { name: 'm', dimensions: DIMENSIONS, normalized: true },
    extraction: { protocol: 'tf-serving' },
    timeoutMs: 10_000,
  })
  const embed = () => server.embed([makeText('a')], forever)
  for (let turn = 0; turn < 4; turn++) await embed()
  assert.equal([one.requests.length, two.requests.length], [2, 2])
  await one.stop()
  const failures = await Promise.allSettled(Array.from({ length: 6 }, async () => await embed()))
  assert.ok(failures.some(({ status }) => status === 'fulfilled'))
  for (let turn = 0; turn < 6; turn++) await embed()
  assert.is(await server.findProblem(forever), undefined)
  await two.stop()
})

test('does without the version that ends an address', async () => {
  const { url, requests, stop } = await startSubject(SPEAKERS.openai!)
  const server = createEmbeddingServer({
    endpoints: () => [`${url}/v1/`],
    model: { name: 'm', dimensions: DIMENSIONS, normalized: true },
    extraction: { protocol: 'openai' },
    timeoutMs: 10_000,
  })
  await server.embed([makeText('a')], forever)
  assert.is(requests[0]!.path, '/v1/embeddings')
  await stop()
})

test('shows no password of an address, and refuses to begin without the key that is declared', async () => {
  const options = {
    model: { name: 'm', dimensions: DIMENSIONS, normalized: true },
    extraction: { protocol: 'tei', keyVariable: 'NOT_SET' } as const,
    timeoutMs: 10_000,
    env: {},
  }
  assert.throws(
    () => createEmbeddingServer({ ...options, endpoints: () => [] }),
    /NOT_SET: expected the API key/,
  )
  const server = createEmbeddingServer({
    ...options,
    extraction: { protocol: 'tei' },
    endpoints: () => ['http://user:hidden@127.0.0.1:9'],
  })
  const { message } = await faultOf(server.embed([makeText('a')], forever), 'transient', /127.0.0.1:9/)
  assert.not.match(message + (await server.findProblem(forever)), 'hidden')
})

test.run()
