import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEmbeddingServer } from '../../../lib/adapters/embed/create-server.ts'
import { createServerEmbedder } from '../../../lib/adapters/embed/server-embedder.ts'
import { UnreachableError } from '../../../lib/adapters/http/unreachable.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import { type StubReply, startStub } from '../../support/stub-server.ts'

const model = { name: 'use', dimensions: 3, normalized: true }
const forever = new AbortController().signal
const NOBODY = 'http://127.0.0.1:9'

function createEmbedder(endpoints: string[]) {
  const extraction = { protocol: 'tf-serving' } as const
  const server = createEmbeddingServer({ endpoints: () => endpoints, model, extraction, timeoutMs: 2_000 })
  return createServerEmbedder(server, model.dimensions)
}

async function embedWith(reply: () => StubReply, texts = ['a', 'b']) {
  const server = await startStub(reply)
  try {
    const embedder = createEmbedder([server.url])
    return await embedder.embed(texts, forever).then(
      (rows) => ({ rows, requests: server.requests, error: undefined }),
      (error: unknown) => ({ rows: undefined, requests: server.requests, error: error as LongshoreError }),
    )
  } finally {
    await server.stop()
  }
}

test('asks in the column form and gives the rows in order', async () => {
  const { rows, requests } = await embedWith(() => ({ body: '{"outputs":[[1,2,3],[4,5,0.5]]}' }))
  assert.equal([...rows!], [1, 2, 3, 4, 5, 0.5])
  assert.equal(requests, [{ path: '/v1/models/use:predict', body: '{"inputs":["a","b"]}' }])
})

const wrong: Record<string, [string, RegExp]> = {
  'too few embeddings': ['{"outputs":[[1,2,3]]}', /answered 1 embeddings, expected 2/],
  'other dimensions': ['{"outputs":[[1,2],[1,2]]}', /embedding 0 has 2 dimensions, expected 3/],
  'bare NaN as TensorFlow Serving writes it': ['{"outputs":[[1,2,3],[1,NaN,3]]}', /not finite/],
  'bare infinity': ['{"outputs":[[1,2,3],[-Infinity,1,3]]}', /not finite/],
  'numbers that float32 cannot hold': ['{"outputs":[[1,2,3],[1,1e39,3]]}', /embedding 1, dimension 1/],
  'what is no number': ['{"outputs":[[1,2,3],[1,"2",3]]}', /embedding 1, dimension 1/],
  'what is neither rows nor columns': ['{"result":[[1,2,3],[1,2,3]]}', /"outputs"/],
  'no JSON': ['<html>', /no JSON/],
}
for (const [what, [body, message]] of Object.entries(wrong)) {
  test(`takes ${what} for an error of the server, and does not ask again`, async () => {
    const { error, requests } = await embedWith(() => ({ body }))
    assert.instance(error, LongshoreError)
    assert.not.instance(error, UnreachableError)
    assert.is(error!.kind, 'remote')
    assert.match(error!.message, message)
    assert.match(error!.message, '/v1/models/use:predict')
    assert.is(requests.length, 1)
  })
}

test('repeats the words of a server that refuses', async () => {
  const { error } = await embedWith(() => ({ status: 404, body: '{"error":"Servable not found"}' }))
  assert.instance(error, UnreachableError)
  assert.match(error!.message, /answered 404: Servable not found/)
})

test('asks once more when a connection fails, at the next address', async () => {
  const server = await startStub(() => ({ body: '{"outputs":[[1,2,3]]}' }))
  const embedder = createEmbedder([NOBODY, `${server.url}/`])
  assert.equal([...(await embedder.embed(['a'], forever))], [1, 2, 3])
  await server.stop()

  const { error, requests } = await embedWith(() => 'hang up')
  assert.instance(error, UnreachableError)
  assert.is(requests.length, 2)
})

test('gives up when time is over or nobody is known', async () => {
  const silent = createEmbedder([])
  await silent.embed(['a'], forever).then(
    () => assert.unreachable(),
    (error) => assert.match(error.message, /no extraction server is known/),
  )
  const stopped = createEmbedder([NOBODY])
  await stopped.embed(['a'], AbortSignal.abort()).then(
    () => assert.unreachable(),
    (error) => assert.match(error.message, /no answer in time/),
  )
})

test.run()
