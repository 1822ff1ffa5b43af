import { readdir, stat } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { embedLexical } from '../../lib/domain/lexical.ts'
import { createRandom } from '../../lib/domain/random.ts'
import { hashText } from '../../lib/domain/text-hash.ts'
import { readManifest } from '../support/damage.ts'
import { eventually } from '../support/eventually.ts'
import { type Fleet, makeFleet, TEST_MODEL } from '../support/fleet.ts'
import { type FunctionModel, startFunctionModel } from '../support/function-model.ts'
import { type Load, startLoad } from '../support/load.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'
import { call } from '../support/services.ts'

/** More than a bridge is fitted to, so that something is left to embed. */
const ITEMS = 2_300
const FITTED = 2_000
const DIMENSIONS = 96
const SPACE = { version: '1', dimensions: DIMENSIONS, metric: 'cosine', normalized: true }

const gallery = makeQuestions('item', ITEMS)
const turn = Float64Array.from({ length: TEST_MODEL.dimensions * DIMENSIONS }, random(7))
let fleet: Fleet
let turned: FunctionModel
let strange: FunctionModel
let load: Load | undefined
let release: () => void = () => undefined
/** Batches wait for it once the bridge is fitted. */
const released = new Promise<void>((resolve) => {
  release = resolve
})

test.before(async () => {
  const hold = async () => {
    if (turned.asked.size > FITTED) await released
  }
  turned = await startFunctionModel(embedTurned, hold)
  strange = await startFunctionModel((text) =>
    unit(Array.from({ length: DIMENSIONS }, random(hashText(text)[0]))),
  )
  fleet = await makeFleet({
    models: [
      { ...SPACE, name: 'turned', extraction: { url: turned.url } },
      { ...SPACE, name: 'strange', extraction: { url: strange.url } },
    ],
    split: { clusters: 3, goldenQueries: 40, threshold: 0.3 },
    gates: { selfRouting: 0.5, recall: 0.5 },
    update: { deadlineSeconds: 100, soakSeconds: 0.3, leaseSeconds: 5 },
  })
})
test.before(async () => {
  await expect(0, 'split-index', await writeQuestions(fleet.path('gallery.jsonl'), gallery))
  await expect(0, 'update-indices')
})
test.after(async () => {
  release()
  await load?.stop()
  await fleet.stop()
  await turned.stop()
  await strange.stop()
})

test('refuses a bridge to a model that sees nothing of what the former one sees, and changes nothing', async () => {
  const refused = await expect(13, 'migrate', '--model', 'strange', '--bridge', '--no-backup')
  assert.match(refused.error.message, /keeps 0\.\d+ of recall@10, expected >= 0\.9: nothing was changed/)
  assert.equal([refused.gate.name, refused.gate.passed], ['bridge', false])
  assert.ok(refused.bridge.keptRecall < 0.5 && refused.bridge.heldOut > 30, JSON.stringify(refused.bridge))
  assert.equal(await readdir(fleet.path('dgs')), ['dg_1'])
  assert.is((await expect(0, 'status')).serving.generation, 'dg_1')
  assert.is(strange.asked.size, FITTED)
})

test('answers queries of the new model from the former generation while items are embedded', async () => {
  const models = new Map([
    ['dg_1', 'lexical-hash@1'],
    ['dg_2', 'turned@1'],
    ['dg_3', 'turned@1'],
  ])
  const galleries = new Map([...models.keys()].map((name) => [name, gallery]))
  load = startLoad(fleet.url, galleries, { models, clients: 2, perSecond: 10 })
  const running = fleet.start('migrate', '--model', 'turned', '--bridge')
  await eventually(() => {
    assert.not(running.hasEnded(), 'it ended before it was let go on')
    assert.ok(turned.asked.size > FITTED, 'it does not embed the rest')
  }, 110_000)
  const { text, id } = gallery[77]!
  const byText = await search({ query: text, k: 1 })
  assert.equal(
    [byText.body.generation, byText.body.model.name, byText.body.hits[0].id],
    ['dg_2', 'turned', id],
  )
  const byVector = await search({ vector: embedTurned(text), k: 1 })
  assert.equal([byVector.body.generation, byVector.body.hits[0].id], ['dg_2', id])
  for (const generation of ['dg_1', 'dg_2']) {
    const tried = await call(`${fleet.url}/console/v1/search`, { generation, query: text, k: 1 })
    assert.equal(
      [tried.body.generation, tried.body.hits?.[0]?.id],
      [generation, id],
      JSON.stringify(tried.body),
    )
  }
  const former = await search({ vector: [...embedLexical([text], TEST_MODEL.dimensions)], k: 1 })
  assert.equal([former.status, former.body.error.code], [400, 'wrong_dimensions'])
  assert.match(former.body.error.message, 'has 64 dimensions, expected 96')
  const { body } = await call(`${fleet.url}/v3/galleries/text/hello`)
  assert.equal([body.emben_model, body.emben_size, body.objects], ['lexical-hash', 64, ITEMS])
  running.kill('SIGKILL')
  await running.ended
})

test('goes on after kill -9: the same bridge, nothing embedded twice that was kept, and the new model in the end', async () => {
  const bridge = await readManifest(fleet.path('dgs', 'dg_2'))
  release()
  const { generation, outcome, bridge: told } = await expect(0, 'migrate', '--model', 'turned', '--bridge')
  assert.equal([generation, outcome, told.digest], ['dg_3', 'done', bridge.digest])
  const fitted = [...turned.asked.values()].slice(0, FITTED)
  // Canaries and gates ask for a few texts again.
  assert.ok(
    fitted.filter((times) => times > 1).length < 200,
    'what the bridge was fitted to is embedded again',
  )
  assert.equal((await readdir(fleet.path('dgs'))).sort(), ['dg_1', 'dg_2', 'dg_3'])
  const report = await load!.stop()
  assert.equal([report.failures, report.mixed], [[], []])
  assert.ok(
    report.byGeneration.dg_1! > 0 && report.byGeneration.dg_2! > 0,
    JSON.stringify(report.byGeneration),
  )
})

test('shares the vectors of the former generation, says by what it is reached, and moves its threshold', async () => {
  const former = await readManifest(fleet.path('dgs', 'dg_1'))
  const { bridge, model, parent, threshold, files } = await readManifest(fleet.path('dgs', 'dg_2'))
  assert.equal([model, parent], [former.model, { name: 'dg_1', digest: former.digest }])
  assert.equal([bridge!.model.name, bridge!.map, bridge!.pairs], ['turned', 'bridge.npy', FITTED])
  assert.ok(bridge!.keptRecall >= 0.9)
  assert.ok(files.some(({ path }) => path === 'bridge.npy'))
  assert.ok(threshold! > 0 && threshold! < 1)
  const inodes = await Promise.all(
    ['dg_1', 'dg_2'].map(async (name) => (await stat(fleet.path('dgs', name, 'clust_0', 'vectors.npy'))).ino),
  )
  assert.is(inodes[0], inodes[1])
})

test('changes nothing when it is run again, and goes back to the bridge, then to the former model', async () => {
  const again = await expect(0, 'migrate', '--model', 'turned', '--bridge', '--from', 'dg_1')
  assert.equal([again.outcome, again.embedding.calls], ['nothing-to-do', 0])
  const wrong = await expect(2, 'migrate', '--model', 'turned', '--from', 'dg_2')
  assert.match(wrong.error.message, 'dg_2 is a bridge to dg_1')
  await expect(0, 'rollback')
  assert.is((await search({ query: gallery[5]!.text, k: 1 })).body.generation, 'dg_2')
  await expect(0, 'rollback')
  const { body } = await search({ query: gallery[5]!.text, k: 1 })
  assert.equal([body.generation, body.model.name], ['dg_1', 'lexical-hash'])
})

test.run()

async function search(body: object) {
  return await call(`${fleet.url}/v1/search`, body)
}

async function expect(code: number, script: string, ...args: string[]) {
  const run = await fleet.run(script, ...args)
  assert.is(run.code, code, `${script} ${args.join(' ')}: ${run.stdout}\n${run.stderr}`)
  return run.json
}

function random(seed: number): () => number {
  const next = createRandom(seed)
  return () => next() - 0.5
}

function unit(values: readonly number[]): number[] {
  const length = Math.hypot(...values)
  return values.map((value) => value / length)
}

/** A model that sees what the former one sees, from another side. */
function embedTurned(text: string): number[] {
  const former = embedLexical([text], TEST_MODEL.dimensions)
  return unit(
    Array.from({ length: DIMENSIONS }, (_, to) =>
      former.reduce((sum, value, from) => sum + value * turn[from * DIMENSIONS + to]!, 0),
    ),
  )
}
