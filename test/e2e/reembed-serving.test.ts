import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { extractionServiceName } from '../../lib/domain/service.ts'
import { readManifest } from '../support/damage.ts'
import { eventually } from '../support/eventually.ts'
import { type Fleet, makeFleet, TEST_EXTRACTION } from '../support/fleet.ts'
import { type Load, startLoad } from '../support/load.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'

const gallery = makeQuestions('item', 240)
/** Queries of one model make no sense under the other: not even their lengths are the same. */
const OTHER = { name: 'lexical-hash', version: '2', dimensions: 48, metric: 'cosine', normalized: true }

let fleet: Fleet
let load: Load | undefined
/** The service that embeds under the other model. */
let otherExtraction: string

test.before(async () => {
  fleet = await makeFleet({
    models: [OTHER],
    gates: { selfRouting: 0.7, recall: 0.7 },
    update: { deadlineSeconds: 100, soakSeconds: 0.3, leaseSeconds: 5 },
  })
  // Only answers count here, not how fast they come.
  const profile = await readFile(fleet.profile, 'utf8')
  await writeFile(fleet.profile, profile.replace('timeoutSeconds: 20', 'timeoutSeconds: 60'))
  const input = await writeQuestions(fleet.path('gallery.jsonl'), gallery)
  await expect(['split-index', input])
  await expect(['update-indices'])
  await expect(['reembed', '--from', 'dg_1', '--model', 'lexical-hash@2'])
  otherExtraction = extractionServiceName((await readManifest(fleet.path('dgs', 'dg_2'))).model)
})
test.after(async () => {
  await load?.stop()
  await fleet.stop()
})

test('moves to another model and back under load: no request fails, and none is answered by the wrong model', async () => {
  const galleries = new Map(['dg_1', 'dg_2'].map((name) => [name, gallery]))
  const models = new Map([
    ['dg_1', 'lexical-hash@1'],
    ['dg_2', 'lexical-hash@2'],
  ])
  load = startLoad(fleet.url, galleries, { models, clients: 2, perSecond: 20 })
  await answered(20)
  await expect(['update-indices', 'dg_2'])
  assert.equal(await listExtractions(), [TEST_EXTRACTION, otherExtraction].sort())
  await answered(20)
  await expect(['rollback'])
  await answered(20)
  const { failures, mixed, byGeneration } = await load.stop()
  assert.equal(failures, [])
  assert.equal(mixed, [])
  assert.ok(byGeneration.dg_1! >= 20 && byGeneration.dg_2! >= 15, JSON.stringify(byGeneration))
})

test('keeps the model of each release on record, and what embeds under it until nothing loaded needs it', async () => {
  const { json } = await fleet.run('status')
  const models = await Promise.all(
    ['dg_1', 'dg_2', 'dg_1'].map(
      async (name) => (await readManifest(fleet.path('dgs', name))).model.fingerprint,
    ),
  )
  assert.equal(json.serving.generation, 'dg_1')
  assert.equal(
    json.releases.map(({ model }: { model: string }) => model),
    models,
  )
  assert.equal(await listExtractions(), [TEST_EXTRACTION, otherExtraction].sort())
})

test.run()

async function expect([script, ...args]: readonly [string, ...string[]]): Promise<void> {
  const { code, stdout, stderr } = await fleet.run(script, ...args)
  assert.is(code, 0, `${script}: ${stdout}\n${stderr}`)
}

/** Waits until the load has sent that many more requests. */
async function answered(count: number): Promise<void> {
  const goal = load!.seen() + count
  await eventually(() => assert.ok(load!.seen() >= goal, 'the load stands still'), 60_000)
}

async function listExtractions(): Promise<string[]> {
  const { json } = await fleet.run('status')
  const services = json.services as { name: string; kind: string }[]
  return services
    .filter(({ kind }) => kind === 'extraction')
    .map(({ name }) => name)
    .sort()
}
