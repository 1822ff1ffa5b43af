import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fuzz } from '../support/fuzz.ts'
import { createFuzzer } from '../support/fuzz-bodies.ts'
import { makeGatewayTarget, makeIndexTarget } from '../support/fuzz-targets.ts'
import { makeGeneration } from '../support/generation.ts'
import { makeTempDir } from '../support/temp.ts'

const BODIES = 4_000
const SEED = 4

test('makes the same requests for the same seed, whatever was made before', () => {
  const seeds = [{ url: '/', contentType: 'application/json', bodies: [{ filter: { in: [] }, list: [[]] }] }]
  const draw = (seed: number) => {
    const next = createFuzzer(seeds, seed)
    return Array.from({ length: BODIES }, () => next().payload.toString('base64'))
  }
  const first = draw(SEED)
  for (let seed = 0; seed < 5; seed++) draw(seed)
  assert.equal(draw(SEED), first)
})

test('a gateway answers any body rightly or refuses it', async () => {
  const statuses = await fuzz(makeGatewayTarget(), { bodies: BODIES, seed: SEED })
  assert.ok(statuses[200]! > BODIES / 20 && statuses[400]! > BODIES / 20, JSON.stringify(statuses))
})

test('an index service answers any body rightly or refuses it', async () => {
  const directory = makeTempDir()
  const manifest = await makeGeneration(directory, { dimensions: 8 })
  const statuses = await fuzz(await makeIndexTarget(directory, manifest), { bodies: BODIES, seed: SEED })
  assert.ok(statuses[200]! > BODIES / 20 && statuses[400]! > BODIES / 20, JSON.stringify(statuses))
})

test.run()
