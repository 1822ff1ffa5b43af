import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { listPairScores, scoreAll } from '../../lib/domain/sample-scores.ts'
import type { MovedThreshold } from '../../lib/domain/score-threshold.ts'
import { split } from '../../lib/flows/split.ts'
import { vectorOf } from '../support/embed-run.ts'
import { makeFormerWorld, SPLIT } from '../support/former-world.ts'
import { DIMENSIONS, makeInput, makeRows, makeSplitContext } from '../support/split.ts'
import { makeTempDir } from '../support/temp.ts'

const TEXTS = Array.from({ length: 60 }, (_, index) => `text ${index} ${'x'.repeat((7 * index) % 11)}`)

test('writes the threshold of the profile into a generation, and hands it on to the next under the same model', async () => {
  const root = makeTempDir()
  const splitRows = async (count: number, settings: string) => {
    const { context } = makeSplitContext(root, makeInput(makeRows(count)), settings)
    const { json } = await split(context, { path: 'rows' })
    return (await context.generations.read(String(json.generation))).threshold
  }
  assert.is(await splitRows(40, ''), undefined)
  assert.is(await splitRows(44, 'split: { threshold: 0.7 }'), 0.7)
  assert.is(await splitRows(48, ''), 0.7)
  assert.is(await splitRows(52, 'split: { threshold: -1 }'), -1)
})

test('lets as many random matches through under another model as under the former one', async () => {
  const { run, generations, gates } = await makeFormerWorld({
    texts: TEXTS,
    split: `${SPLIT}, threshold: 0.9`,
  })
  const { json } = await run()
  const { before, after } = json.threshold as MovedThreshold
  const manifest = await generations.read('dg_2')
  assert.is(manifest.threshold, after.score)

  const [old, young] = [makeRows(60).vectors, Float32Array.from(TEXTS.flatMap(vectorOf))]
  const [former, model] = [(await generations.read('dg_1')).model, manifest.model]
  const share = (rows: Float32Array, space: typeof model, score: number) => {
    const scores = listPairScores(scoreAll({ rows, model: space }))
    return scores.filter((value) => value >= score).length / scores.length
  }
  assert.is(before.score, 0.9)
  assert.is(before.falseMatches, share(old, former, 0.9))
  assert.is(after.falseMatches, share(young, model, after.score))
  assert.ok(before.falseMatches > 0.05 && after.falseMatches <= before.falseMatches)
  assert.ok(after.falseMatches > before.falseMatches - 0.05, JSON.stringify(json.threshold))
  const gate = gates.find(({ name }) => name === 'threshold')!
  assert.ok(gate.passed)
  assert.match(gate.detail ?? '', `from score ${Number(after.score.toPrecision(4))} on, before 0.9`)
})

test('makes the same generation of the same threshold, and another one of another', async () => {
  const first = await makeFormerWorld({ split: `${SPLIT}, threshold: 0.9` })
  const { json } = await first.run()
  const again = await first.run()
  assert.equal([again.outcome, again.json.digest], ['nothing-to-do', json.digest])
  const other = await (await makeFormerWorld({ split: `${SPLIT}, threshold: 0.2` })).run()
  assert.is.not(other.json.digest, json.digest)
})

test('leaves a generation without a threshold whose former one has none', async () => {
  const { run, generations, gates } = await makeFormerWorld()
  const { json } = await run()
  assert.is((await generations.read('dg_2')).threshold, undefined)
  assert.is(json.threshold, undefined)
  assert.not(gates.some(({ name }) => name === 'threshold'))
})

test('takes the threshold that the profile declares for the other model, where it does', async () => {
  const { whole, run, generations } = await makeFormerWorld({ split: `${SPLIT}, threshold: 0.9` })
  const { models, split: settings } = whole.profile
  const { extraction, ...model } = models[0]!
  const former = { ...whole.profile.model, extraction: whole.profile.extraction }
  const profile = {
    ...whole.profile,
    model,
    extraction,
    models: [former],
    split: { ...settings, threshold: -4 },
  }
  await run({ profile })
  assert.is((await generations.read('dg_2')).threshold, -4)
  assert.is((await generations.read('dg_1')).model.dimensions, DIMENSIONS)
})

test.run()
