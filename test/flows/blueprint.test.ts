import { resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseProfile } from '../../lib/config/load.ts'
import type { LongshoreError } from '../../lib/domain/errors.ts'
import { createBlueprint, listImages } from '../../lib/flows/blueprint.ts'

const LOCAL = `
name: test
nodes: [{ name: n1, host: n1.example }]
model: { name: lexical-hash, version: "1", dimensions: 4, metric: cosine, normalized: true }
`
const SWARM = `${LOCAL}engine: swarm\nswarm: { managers: [n1], image: "longshore:1" }\n`

test('names the image of every service in a Swarm, so that another image is another service', () => {
  const { gateway, index, extractions } = createBlueprint(parseProfile(SWARM, 'x.yml'))
  assert.equal(
    [gateway, index, extractions[0]?.template].map((template) => template?.settings.IMAGE),
    ['longshore:1', 'longshore:1', 'longshore:1'],
  )
})

test('names no image where services are processes', () => {
  const { gateway, index, extractions } = createBlueprint(parseProfile(LOCAL, 'x.yml'))
  assert.equal(
    [gateway, index, extractions[0]?.template].map((template) => 'IMAGE' in (template?.settings ?? {})),
    [false, false, false],
  )
})

test('tells index services how to search only where the profile does, so that others are not changed', () => {
  const settingsOf = (profile: string) => createBlueprint(parseProfile(profile, 'x.yml')).index.settings
  assert.equal(settingsOf(LOCAL), {})
  assert.equal(settingsOf(`${LOCAL}index: { threads: 3, search: exact, filterMegabytes: 64 }\n`), {
    THREADS: '3',
    SEARCH_KIND: 'exact',
    FILTER_MEMORY_MB: '64',
  })
})

test('refuses a Swarm without an image, and says how to get one', () => {
  const profile = parseProfile(SWARM.replace(', image: "longshore:1"', ''), 'x.yml')
  try {
    createBlueprint(profile)
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, 'swarm.image: missing in the profile')
    assert.match((error as LongshoreError).hint ?? '', 'image.mjs')
  }
})

const ONNX = `${LOCAL}extraction: { onnx: models/words, device: cpu, output: pooled }\n`

test('tells our own extraction of an ONNX model, and gateways that texts must reach it as they are', () => {
  const { gateway, extractions } = createBlueprint(parseProfile(ONNX, 'x.yml'))
  const { MODEL_DIR, DEVICE, MODEL_OUTPUT } = extractions[0]!.template!.settings
  assert.equal([MODEL_DIR, DEVICE, MODEL_OUTPUT], [resolve('models/words'), 'cpu', 'pooled'])
  assert.equal(JSON.parse(gateway.settings.MODELS!)[0].isOnnx, true)
})

test('serves an ONNX model in a Swarm from an image of its own, by names that both commands can tell', () => {
  const swarm = ONNX.replace(
    'name: test',
    'name: test\nengine: swarm\nswarm: { managers: [n1], image: "longshore:1" }',
  )
  const profile = parseProfile(swarm, 'x.yml')
  const { gateway, extractions } = createBlueprint(profile)
  const { IMAGE, MODEL_DIR, DEVICE } = extractions[0]!.template!.settings
  assert.equal([MODEL_DIR, DEVICE], ['/model', 'cpu'])
  assert.match(IMAGE!, /^longshore:1-[0-9a-f]{8}$/)
  assert.equal(listImages(profile), [gateway.settings.IMAGE, IMAGE])
  const untagged = parseProfile(swarm.replace('longshore:1', 'host:5000/longshore'), 'x.yml')
  assert.throws(() => createBlueprint(untagged), /swarm\.image: expected NAME:TAG/)
})

test('starts no extraction where a server is named', () => {
  const profile = parseProfile(`${LOCAL}extraction: { url: "http://tf:8501" }\n`, 'x.yml')
  const { gateway, extractions } = createBlueprint(profile)
  const { fingerprint } = profile.model
  assert.equal(extractions, [{ fingerprint, template: null }])
  const [model] = JSON.parse(gateway.settings.MODELS!)
  assert.equal(
    [model.fingerprint, model.server],
    [fingerprint, { url: 'http://tf:8501', protocol: 'tf-serving' }],
  )
})

test('tells gateways what the profile says of slow replicas, overload, missing shards and the cache', () => {
  const keys = 'gateway: { hedgeShare: 0, maxInFlight: 32, partial: partial, cacheEntries: 0 }'
  const { settings } = createBlueprint(parseProfile(`${LOCAL}${keys}\n`, 'x.yml')).gateway
  const { HEDGE_SHARE, MAX_IN_FLIGHT, PARTIAL, CACHE_ENTRIES } = settings
  assert.equal([HEDGE_SHARE, MAX_IN_FLIGHT, PARTIAL, CACHE_ENTRIES], ['0', '32', 'partial', '0'])
})

test.run()
