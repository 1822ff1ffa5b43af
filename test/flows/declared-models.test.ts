import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseProfile } from '../../lib/config/load.ts'
import { fingerprintOf } from '../../lib/domain/model.ts'
import { findDeclaredModel, findModelOf, listModels } from '../../lib/flows/declared-models.ts'
import { raised } from '../support/raised.ts'

const SPACE = { dimensions: 8, metric: 'cosine', normalized: true } as const
const profile = parseProfile(
  `
name: test
nodes: [{ name: n1 }]
model: { name: first, version: "1", dimensions: 8, metric: cosine, normalized: true }
extraction: { url: "http://first:8501" }
models:
  - { name: second, version: "1", dimensions: 8, metric: cosine, normalized: true }
  - { name: second, version: "2", dimensions: 8, metric: cosine, normalized: true, fingerprint: told,
      extraction: { url: "http://second:8080", protocol: tei } }
`,
  'test.yml',
)
const find = async (asked: string | undefined) => findDeclaredModel(profile, asked)

test('lists the model of new splits first, each with what embeds under it', () => {
  assert.equal(
    listModels(profile).map(({ model, extraction }) => [model.name, model.version, extraction.url]),
    [
      ['first', '1', 'http://first:8501'],
      ['second', '1', undefined],
      ['second', '2', 'http://second:8080'],
    ],
  )
})

test('finds a model by its name, and by name and version where a name has several', async () => {
  assert.is((await find('first')).extraction.url, 'http://first:8501')
  assert.is((await find('first@1')).model.name, 'first')
  const { model, extraction } = await find('second@2')
  assert.equal(model, { name: 'second', version: '2', ...SPACE, fingerprint: 'told' })
  assert.is(extraction.protocol, 'tei')
})

test('refuses a name that is missing, unknown or stands for several, and tells what there is', async () => {
  const missing = await raised('usage', find(undefined))
  assert.match(missing.message, 'first@1, second@1, second@2')
  const unknown = await raised('not-found', find('third'))
  assert.match(unknown.message, 'first@1, second@1, second@2')
  assert.match(unknown.hint ?? '', 'models')
  await raised('not-found', find('second@3'))
  assert.match((await raised('usage', find('second'))).hint ?? '', 'NAME@VERSION')
})

test('knows the model of a generation by its fingerprint alone', () => {
  assert.is(findModelOf(profile, { fingerprint: 'told' })?.model.version, '2')
  const fingerprint = fingerprintOf({ name: 'second', version: '1', ...SPACE })
  assert.is(findModelOf(profile, { fingerprint })?.model.version, '1')
  assert.is(findModelOf(profile, { fingerprint: 'of a former profile' }), undefined)
})

test('refuses a profile that declares one model twice', () => {
  const twice = () =>
    parseProfile(
      `
name: test
nodes: [{ name: n1 }]
model: { name: first, version: "1", dimensions: 8, metric: cosine, normalized: true }
models: [{ name: first, version: "1", dimensions: 16, metric: cosine, normalized: true }]
`,
      'test.yml',
    )
  assert.throws(twice, /first@1 is declared twice/)
})

test.run()
