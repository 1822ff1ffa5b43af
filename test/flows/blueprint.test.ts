import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseProfile } from '../../lib/config/load.ts'
import type { LongshoreError } from '../../lib/domain/errors.ts'
import { createBlueprint } from '../../lib/flows/blueprint.ts'

const LOCAL = `
name: test
nodes: [{ name: n1, host: n1.example }]
model: { name: lexical-hash, version: "1", dimensions: 4, metric: cosine, normalized: true }
`
const SWARM = `${LOCAL}engine: swarm\nswarm: { managers: [n1], image: "longshore:1" }\n`

test('names the image of every service in a Swarm, so that another image is another service', () => {
  const { gateway, index, extraction } = createBlueprint(parseProfile(SWARM, 'x.yml'))
  assert.equal(
    [gateway, index, extraction].map((template) => template?.settings.IMAGE),
    ['longshore:1', 'longshore:1', 'longshore:1'],
  )
})

test('names no image where services are processes', () => {
  const { gateway, index, extraction } = createBlueprint(parseProfile(LOCAL, 'x.yml'))
  assert.equal(
    [gateway, index, extraction].map((template) => 'IMAGE' in (template?.settings ?? {})),
    [false, false, false],
  )
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

test('starts no extraction where a server is named', () => {
  const profile = parseProfile(`${LOCAL}extraction: { url: "http://tf:8501" }\n`, 'x.yml')
  const { gateway, extraction } = createBlueprint(profile)
  assert.is(extraction, null)
  assert.is(gateway.settings.EXTRACTION_URL, 'http://tf:8501')
})

test.run()
