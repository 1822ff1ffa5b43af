import fc from 'fast-check'
import sharp from 'sharp'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEmbeddingServer } from '../../../lib/adapters/embed/create-server.ts'
import type { Model } from '../../../lib/domain/model.ts'
import { eventually } from '../../support/eventually.ts'
import { makeModel } from '../../support/generation.ts'
import { writeImageModel, writeTextModel } from '../../support/onnx-model.ts'
import { call, runToEnd, type ServiceProcess, startService, waitUntilReady } from '../../support/services.ts'
import { makeTempDir } from '../../support/temp.ts'

const DIMENSIONS = 8
const WORDS = ['red', 'green', 'blue', 'hole']
const FIRST_WORD = 4
const model: Model = { ...makeModel(DIMENSIONS), name: 'colours', version: '3', fingerprint: 'sha256:1' }
const images: Model = { ...makeModel(3), name: 'means', normalized: false }

function valueAt(token: number, column: number): number {
  return token === FIRST_WORD + WORDS.indexOf('hole') ? Number.NaN : ((token * 5 + column * 3) % 13) + 1
}

/** The unit mean of [CLS], the words and [SEP]. */
function embed(text: string): number[] {
  const tokens = [1, ...text.split(' ').map((word) => FIRST_WORD + WORDS.indexOf(word)), 2]
  const sums = Array.from({ length: DIMENSIONS }, (_, column) =>
    tokens.reduce((sum, token) => sum + valueAt(token, column), 0),
  )
  return sums.map((sum) => sum / Math.hypot(...sums))
}

const directory = writeTextModel(makeTempDir(), {
  words: WORDS,
  dimensions: DIMENSIONS,
  valueAt,
  maxTokens: 6,
})
const start = (served: Model, root: string, more: Record<string, string> = {}) =>
  startService('extraction', { MODEL: JSON.stringify(served), MODEL_DIR: root, DEVICE: 'cpu', ...more })
let service: ServiceProcess
let imageService: ServiceProcess

test.before(async () => {
  service = await start(model, directory)
  imageService = await start(
    images,
    writeImageModel(makeTempDir(), { size: 2, resample: 0, do_normalize: false }),
  )
  await Promise.all([waitUntilReady(service), waitUntilReady(imageService)])
})
test.after(async () => {
  await Promise.all([service.stop(), imageService.stop()])
})

const predict = (body: unknown) => call(`${service.url}/v1/models/colours:predict`, body)
const infer = (body: unknown, path = 'colours') => call(`${service.url}/v2/models/${path}/infer`, body)
const tensorOf = (...data: unknown[]) => ({ name: 'text', datatype: 'BYTES', shape: [data.length], data })

function assertNear(found: unknown, expected: readonly (readonly number[])[]): void {
  const rows = found as number[][]
  assert.is(rows.length, expected.length)
  for (const [row, values] of expected.entries()) {
    for (const [at, value] of values.entries()) {
      assert.ok(Math.abs(rows[row]![at]! - value) < 1e-5, `${rows[row]} instead of ${values}`)
    }
  }
}

test('answers TensorFlow Serving with the embeddings of the model', async () => {
  const { status, body } = await predict({ instances: ['red', { text: 'green blue' }] })
  assert.is(status, 200, JSON.stringify(body))
  assertNear(body.predictions, [embed('red'), embed('green blue')])
})

test('answers KServe with the embeddings of the model, flat', async () => {
  const { status, body } = await infer({ id: '7', inputs: [tensorOf('red', 'blue')] })
  assert.is(status, 200, JSON.stringify(body))
  const [output] = body.outputs
  assert.equal(
    [body.id, body.model_name, body.model_version, output.name, output.datatype, output.shape],
    ['7', 'colours', '3', 'embedding', 'FP32', [2, DIMENSIONS]],
  )
  assertNear([output.data], [[...embed('red'), ...embed('blue')]])
  const column = { ...tensorOf(['red'], ['blue']), shape: [2, 1] }
  assert.equal((await infer({ inputs: [column] }, 'colours/versions/3')).body.outputs[0].data, output.data)
})

test('tells of its model and its health as KServe does', async () => {
  for (const path of [
    'health/live',
    'health/ready',
    'models/colours/ready',
    'models/colours/versions/3/ready',
  ]) {
    assert.is((await call(`${service.url}/v2/${path}`)).status, 200, path)
  }
  assert.is((await call(`${service.url}/v2/models/other/ready`)).status, 404)
  assert.is((await call(`${service.url}/v2/models/colours/versions/2/ready`)).status, 404)
  const { body } = await call(`${service.url}/v2/models/colours`)
  assert.equal(body.inputs, [{ name: 'text', datatype: 'BYTES', shape: [-1] }])
  assert.equal(body.outputs, [{ name: 'embedding', datatype: 'FP32', shape: [-1, DIMENSIONS] }])
})

test('refuses requests that are none, naming what was expected', async () => {
  const text = tensorOf('red')
  const cases: [unknown, RegExp][] = [
    [{}, /inputs: expected a list of one tensor/],
    [{ inputs: [text, text] }, /one tensor/],
    [{ inputs: [{ ...text, name: 'image' }] }, /expected text, found "image"/],
    [{ inputs: [{ ...text, datatype: 'FP32' }] }, /BYTES/],
    [{ inputs: [{ ...text, shape: [2] }] }, /shape: expected \[1\]/],
    [{ inputs: [tensorOf(7)] }, /data\[0\]: expected a text/],
    [{ inputs: [tensorOf()] }, /at least one value/],
    [{ inputs: [text], outputs: [{ name: 'logits' }] }, /outputs: expected none or embedding/],
    [{ inputs: [text], parameters: { truncate: 'yes' } }, /truncate: expected true or false/],
  ]
  for (const [body, message] of cases) {
    const answer = await infer(body)
    assert.is(answer.status, 400, JSON.stringify(answer.body))
    assert.match(answer.body.error, message)
  }
})

test('refuses a text that is too long, and cuts it where asked', async () => {
  const long = 'red green blue red green'
  const refused = await predict({ instances: ['red', long] })
  assert.is(refused.status, 400)
  assert.match(refused.body.error, /content 1: .*7 tokens.*takes 6/)
  const cut = await predict({ instances: [long], truncate: true })
  assertNear(cut.body.predictions, [embed('red green blue red')])
  const asked = await infer({ inputs: [tensorOf(long)], parameters: { truncate: true } })
  assertNear([asked.body.outputs[0].data], [embed('red green blue red')])
})

test('answers what is not finite with an error, and those beside it as ever', async () => {
  const texts = ['red', 'hole', 'blue', 'green']
  const answers = await Promise.all(texts.map((text) => predict({ instances: [text] })))
  assert.equal(
    answers.map(({ status }) => status),
    [200, 400, 200, 200],
  )
  assert.match(answers[1]!.body.error, /not finite/)
  assertNear(answers[2]!.body.predictions, [embed('blue')])
})

test('gives the clients of both protocols the same embeddings', async () => {
  const texts = Array.from({ length: 300 }, (_, at) => `${WORDS[at % 3]} ${WORDS[Math.floor(at / 3) % 3]}`)
  const contents = texts.map((text) => ({ kind: 'text', text }) as const)
  const asked = (['tf-serving', 'kserve'] as const).map(async (protocol) => {
    const server = createEmbeddingServer({
      ...{ endpoints: () => [service.url], model, timeoutMs: 10_000 },
      extraction: { protocol },
    })
    const { vectors } = await server.embed(contents, new AbortController().signal)
    await server.close()
    return texts.map((_, row) => [...vectors.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS)])
  })
  for (const rows of await Promise.all(asked)) assertNear(rows, texts.map(embed))
})

test('takes images in base64, by either protocol', async () => {
  const image = sharp({ create: { width: 4, height: 4, channels: 3, background: { r: 255, g: 51, b: 0 } } })
  const b64 = (await image.png().toBuffer()).toString('base64')
  const predicted = await call(`${imageService.url}/v1/models/means:predict`, { instances: [{ b64 }] })
  assertNear(predicted.body.predictions, [[1, 0.2, 0]])
  const column = await call(`${imageService.url}/v1/models/means:predict`, { inputs: { image: [{ b64 }] } })
  assertNear(column.body.outputs, [[1, 0.2, 0]])
  const tensor = { name: 'image', datatype: 'BYTES', shape: [1], data: [b64] }
  const inferred = await call(`${imageService.url}/v2/models/means/infer`, { inputs: [tensor] })
  assertNear([inferred.body.outputs[0].data], [[1, 0.2, 0]])
  for (const value of ['red', { b64: 'cmVk' }, { b64: '%' }]) {
    const refused = await call(`${imageService.url}/v1/models/means:predict`, { instances: [value] })
    assert.is(refused.status, 400, JSON.stringify(refused.body))
  }
})

test('refuses more contents than may wait', async () => {
  const small = await start(model, directory, { WAITING_ITEMS: '2' })
  await waitUntilReady(small)
  const body = { instances: ['red', 'red', 'red'] }
  assert.is((await call(`${small.url}/v1/models/colours:predict`, body)).status, 413)
  assert.is(await small.stop(), 0)
})

test('ends at once where its model cannot be had, in words that help', async () => {
  const env = (more: Record<string, string>) => ({
    MODEL: JSON.stringify(model),
    MODEL_DIR: directory,
    ...more,
  })
  const missing = await runToEnd('extraction', env({ MODEL_DIR: makeTempDir() }))
  assert.is(missing.code, 10)
  assert.match(missing.log, /there is no model colours@3/)
  const device = await runToEnd('extraction', env({ DEVICE: 'gpu' }))
  assert.is(device.code, 2)
  assert.match(device.log, /device: gpu cannot be had/)
  assert.match((await runToEnd('extraction', env({ DEVICE: 'tpu' }))).log, /DEVICE: expected auto, cpu, gpu/)
})

test('says where it computes, and why not where it was to', async () => {
  const auto = await start(model, directory, { DEVICE: 'auto' })
  await waitUntilReady(auto)
  const { body } = await call(`${auto.url}/v1/status`)
  assert.is(body.device, 'cpu')
  await eventually(() => assert.match(auto.log(), /the GPU cannot be used/))
  assert.is(await auto.stop(), 0)
})

test('answers what is in flight before it ends', async () => {
  const ending = await start(model, directory, { BATCH_WAIT_MS: '300' })
  await waitUntilReady(ending)
  const answer = call(`${ending.url}/v1/models/colours:predict`, { instances: ['red'] })
  await eventually(async () => assert.is((await call(`${ending.url}/v1/status`)).body.waiting, 1))
  const code = ending.stop()
  assertNear((await answer).body.predictions, [embed('red')])
  assert.is(await code, 0)
})

test('survives any JSON it is sent', async () => {
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record({ inputs: fc.jsonValue() }),
    fc.record({
      inputs: fc.tuple(fc.record({ name: fc.constant('text'), data: fc.jsonValue(), shape: fc.jsonValue() })),
    }),
  )
  await fc.assert(
    fc.asyncProperty(body, async (json) => {
      const { status } = await infer(JSON.stringify(json))
      assert.ok(status < 500, `${status} to ${JSON.stringify(json)}`)
    }),
    { numRuns: 100 },
  )
})

test.run()
