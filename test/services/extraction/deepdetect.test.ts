import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { request } from 'undici'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { embedLexical } from '../../../lib/domain/lexical.ts'
import { LEXICAL, renderCreation, renderPrediction, startModelServer } from '../../support/model-servers.ts'
import { writeTextModel } from '../../support/onnx-model.ts'
import { type ServiceProcess, startService } from '../../support/services.ts'
import { makeTempDir } from '../../support/temp.ts'

const root = makeTempDir()
let service: ServiceProcess
test.before(async () => {
  service = await startModelServer(root)
})
test.after(async () => {
  await service.stop()
})

async function ask(
  method: 'GET' | 'PUT' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
  url = service.url,
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const reply = await request(`${url}${path}`, { method, ...(body !== undefined && { body: text }) })
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers member by member
  return { status: reply.statusCode, body: (await reply.body.json()) as any }
}

function makeRepository(name: string, ...files: readonly string[]): string {
  const directory = join(root, name)
  mkdirSync(directory, { recursive: true })
  for (const file of files) writeFileSync(join(directory, file), file)
  return directory
}

test('the model that it was started with is a service too', async () => {
  const { status, body } = await ask('POST', '/predict', renderPrediction('own', 'a', 'b'))
  assert.is(status, 200)
  assert.equal(body.status, { code: 200, msg: 'OK' })
  assert.equal(body.body.predictions, [
    { uri: '0', vals: [...embedLexical(['a'], LEXICAL.dimensions)] },
    { uri: '1', vals: [...embedLexical(['b'], LEXICAL.dimensions)], last: true },
  ])
  const { head } = (await ask('GET', '/info')).body
  assert.equal(
    head.services.map(({ name }: { name: string }) => name),
    ['own'],
  )
})

test('a creation is written to the repository, and its name is taken in any case', async () => {
  const repository = makeRepository('written')
  const creation = renderCreation(repository, { dimensions: 8 })
  assert.equal((await ask('PUT', '/services/Written', creation)).body, {
    status: { code: 201, msg: 'Created' },
  })
  assert.equal(JSON.parse(readFileSync(join(repository, 'config.json'), 'utf8')), creation)
  // Before the body is looked at.
  const { status, body } = await ask('PUT', '/services/WRITTEN', '{')
  assert.is(status, 409)
  assert.is(body.status.dd_code, 1014)
  const predicted = await ask('POST', '/predict', renderPrediction('wriTTen', 'a'))
  assert.is(predicted.body.body.predictions[0].vals.length, 8)
  const told = (await ask('GET', '/services/written')).body.body
  assert.is(told.repository, repository)
  assert.is(told.service_stats.predict_success, 1)
  assert.equal((await ask('DELETE', '/services/written')).body, { status: { code: 200, msg: 'OK' } })
  assert.ok(existsSync(join(repository, 'config.json')))
})

test("refuses with DeepDetect's codes", async () => {
  const repository = makeRepository('codes')
  await ask('PUT', '/services/codes', renderCreation(repository))
  const layer = (name: string) => ({
    ...renderPrediction('codes', 'a'),
    parameters: { mllib: { extract_layer: name } },
  })
  const inside = renderCreation(repository) as Record<string, unknown>
  const cases: [Parameters<typeof ask>, number, number | undefined][] = [
    [['GET', '/services/nobody'], 404, 1002],
    [['DELETE', '/services/nobody'], 404, undefined],
    [['POST', '/predict', renderPrediction('nobody', 'a')], 404, 1002],
    [['POST', '/predict', '{'], 400, undefined],
    [['POST', '/predict', { data: ['a'] }], 400, undefined],
    [['POST', '/predict', renderPrediction('codes')], 400, 1005],
    [['POST', '/predict', { ...renderPrediction('codes'), data: [7] }], 400, 1005],
    [['POST', '/predict', layer('conv1')], 400, 1006],
    [['PUT', '/services/a', '{}'], 400, undefined],
    [['PUT', '/services/a', { ...inside, mllib: 'caffe' }], 400, 1006],
    [['PUT', '/services/a', { ...inside, mllib: 'xgboost' }], 404, 1000],
    [['PUT', '/services/a', { ...inside, mllib: 'onnx' }], 400, 1006],
    [['PUT', '/services/a', renderCreation(join(root, 'nowhere'))], 400, 1006],
    [['GET', '/services/codes?status=perhaps'], 400, undefined],
  ]
  for (const [asked, status, code] of cases) {
    const found = await ask(...asked)
    assert.is(found.status, status, JSON.stringify([asked, found.body]))
    assert.is(found.body.status.code, status)
    assert.is(found.body.status.dd_code, code, JSON.stringify([asked, found.body]))
  }
  const { service_stats: stats } = (await ask('GET', '/services/codes')).body.body
  assert.is(stats.predict_failure, 3)
})

test('a repository that leads out of the root is refused', async () => {
  const outside = makeTempDir()
  symlinkSync(outside, join(root, 'link'))
  for (const repository of [outside, join(root, 'link'), `${root}/../x`, root]) {
    assert.is((await ask('PUT', '/services/out', renderCreation(repository))).status, 400, repository)
  }
  assert.equal(readdirSync(outside), [])
})

test('deletes of a repository what clear names', async () => {
  const cases = [
    ['mem', ['config.json', 'labels.txt', 'net.pt']],
    ['lib', ['labels.txt']],
    ['full', []],
    ['dir', undefined],
  ] as const
  for (const [clear, left] of cases) {
    const repository = makeRepository(`clear-${clear}`, 'net.pt', 'labels.txt')
    await ask('PUT', `/services/${clear}`, renderCreation(repository))
    assert.is((await ask('DELETE', `/services/${clear}?clear=${clear}`)).status, 200)
    assert.equal(existsSync(repository) ? readdirSync(repository).sort() : undefined, left, clear)
    assert.is((await ask('GET', `/services/${clear}`)).status, 404)
  }
})

test('serves an ONNX repository, and leaves the config.json of the model itself', async () => {
  const words = ['tide', 'pool']
  const repository = makeRepository('onnx')
  writeTextModel(repository, { words, dimensions: 4, valueAt: (token, column) => token + column })
  const config = JSON.stringify({ model_type: 'bert' })
  writeFileSync(join(repository, 'config.json'), config)
  const creation = { ...renderCreation(repository, { dimensions: 4 }), mllib: 'onnx' }
  const made = await ask('PUT', '/services/onnx', creation)
  assert.is(made.status, 201, JSON.stringify(made.body))
  const { body } = await ask('POST', '/predict', renderPrediction('onnx', 'tide pool'))
  assert.is(body.body.predictions[0].vals.length, 4)
  assert.is(readFileSync(join(repository, 'config.json'), 'utf8'), config)
  assert.is((await ask('DELETE', '/services/onnx')).status, 200)
})

test('nobody creates or deletes services where no root is named', async () => {
  const closed = await startService('extraction', { MODEL: JSON.stringify(LEXICAL) })
  const refused = await ask('PUT', '/services/a', renderCreation(makeRepository('closed')), closed.url)
  assert.equal(refused.body, { status: { code: 403, msg: 'Forbidden' } })
  assert.is((await ask('DELETE', '/services/own?clear=dir', undefined, closed.url)).status, 403)
  assert.is((await ask('POST', '/predict', renderPrediction('own', 'a'), closed.url)).status, 200)
  await closed.stop()
})

test.run()
