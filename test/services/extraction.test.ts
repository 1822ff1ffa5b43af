import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEmbeddingServer } from '../../lib/adapters/embed/create-server.ts'
import { createServerEmbedder } from '../../lib/adapters/embed/server-embedder.ts'
import { embedLexical } from '../../lib/domain/lexical.ts'
import { makeModel } from '../support/generation.ts'
import { announceBody, call, type ServiceProcess, startService } from '../support/services.ts'

const DIMENSIONS = 16
const model = { ...makeModel(DIMENSIONS), name: 'use' }
let service: ServiceProcess
const rowsOf = (...texts: string[]) => texts.map((text) => [...embedLexical([text], DIMENSIONS)])
const predict = (body: unknown, path = 'use:predict', type?: string) =>
  call(`${service.url}/v1/models/${path}`, body, type)

test.before(async () => {
  service = await startService('extraction', { MODEL: JSON.stringify(model) })
})
test.after(async () => {
  await service.stop()
})

test('answers rows with rows and columns with columns', async () => {
  const expected = rowsOf('first', 'second one')
  const b64 = Buffer.from('second one').toString('base64')
  const bodies: [unknown, unknown][] = [
    [{ instances: ['first', 'second one'] }, { predictions: expected }],
    [
      { signature_name: 'serving_default', instances: [{ text: 'first' }, { b64 }] },
      { predictions: expected },
    ],
    [{ inputs: ['first', 'second one'] }, { outputs: expected }],
    [{ inputs: { text: ['first', { b64 }] } }, { outputs: expected }],
    [{ inputs: 'first' }, { outputs: rowsOf('first') }],
  ]
  for (const [body, answer] of bodies) {
    const { status, body: found } = await predict(body)
    assert.is(status, 200)
    assert.equal(found, answer)
  }
})

test('answers under its version too, and whatever the content type says', async () => {
  assert.is((await predict({ inputs: ['a'] }, 'use/versions/1:predict')).status, 200)
  assert.is((await predict('{"inputs":["a"]}', 'use:predict', 'text/plain')).status, 200)
  assert.is((await predict('{"inputs":["a"]}', 'use:predict', '')).status, 200)
})

test('refuses with an error in the form of TensorFlow Serving', async () => {
  const cases: [unknown, string, number, RegExp][] = [
    [{ inputs: ['a'], instances: ['a'] }, 'use:predict', 400, /both/],
    [{}, 'use:predict', 400, /neither/],
    [{ instances: [] }, 'use:predict', 400, /list of texts/],
    [{ instances: ['a', 7] }, 'use:predict', 400, /instances\[1\]/],
    [{ inputs: { text: 'a' } }, 'use:predict', 400, /inputs\.text/],
    ['{', 'use:predict', 400, /./],
    [{ inputs: ['a'] }, 'other:predict', 404, /Latest\(other\)/],
    [{ inputs: ['a'] }, 'use/versions/2:predict', 404, /Specific\(use, 2\)/],
    [{ inputs: ['a'] }, 'use:classify', 400, /Malformed request/],
  ]
  for (const [body, path, status, message] of cases) {
    const answer = await predict(body, path)
    assert.is(answer.status, status, JSON.stringify(answer.body))
    assert.type(answer.body.error, 'string')
    assert.match(answer.body.error, message)
  }
})

test('refuses a body that is too large before reading it', async () => {
  assert.is(await announceBody(service.url, '/v1/models/use:predict', 5_000_000), 413)
})

test('tells the state of its model', async () => {
  const { body } = await call(`${service.url}/v1/models/use`)
  const state = { version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } }
  assert.equal(body, { model_version_status: [state] })
  assert.is((await call(`${service.url}/v1/models/other`)).status, 404)
})

test('answers KServe too', async () => {
  const texts = { name: 'text', datatype: 'BYTES', shape: [2], data: ['first', 'second one'] }
  const { status, body } = await call(`${service.url}/v2/models/use/infer`, { inputs: [texts] })
  assert.is(status, 200)
  assert.equal(body.outputs, [
    { name: 'embedding', shape: [2, DIMENSIONS], datatype: 'FP32', data: rowsOf(...texts.data).flat() },
  ])
  assert.is((await call(`${service.url}/v2/health/ready`)).status, 200)
  assert.is((await call(`${service.url}/v2/models/use/ready`)).status, 200)
  assert.is((await call(`${service.url}/v2/models/other/ready`)).status, 404)
})

test('loads nothing of what ONNX models need for the built-in model', async () => {
  const maps = await readFile(`/proc/${service.process.pid}/maps`, 'utf8')
  assert.not.match(maps, /onnxruntime|libvips/)
})

test('survives any JSON it is sent', async () => {
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record({ inputs: fc.jsonValue() }),
    fc.record({ instances: fc.jsonValue() }),
  )
  await fc.assert(
    fc.asyncProperty(body, async (json) => {
      const { status } = await predict(JSON.stringify(json))
      assert.ok(status < 500, `${status} to ${JSON.stringify(json)}`)
    }),
    { numRuns: 100 },
  )
})

test('gives the client of the port exactly the embeddings of the model', async () => {
  const server = createEmbeddingServer({
    endpoints: () => [service.url],
    model,
    extraction: { protocol: 'tf-serving' },
    timeoutMs: 5_000,
  })
  const embedder = createServerEmbedder(server, DIMENSIONS)
  const texts = Array.from({ length: 600 }, (_, index) => `text number ${index}`)
  const rows = await embedder.embed(texts, new AbortController().signal)
  assert.equal(rows, embedLexical(texts, DIMENSIONS))
})

test.run()
