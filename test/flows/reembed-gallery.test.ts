import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { computeContentDigest, refOf } from '../../lib/domain/manifest.ts'
import { EMPTY_RECORD, type FleetRecord } from '../../lib/domain/record.ts'
import { findNewestUnderOther } from '../../lib/flows/reembed-gallery.ts'
import { FAKE_MODEL, makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

const NEW_MODEL = { ...FAKE_MODEL, name: 'words', fingerprint: 'sha256:words' }
const MANIFESTS = [
  makeManifest('dg_1'),
  makeManifest('dg_2'),
  makeManifest('dg_3'),
  makeManifest('dg_4', { model: NEW_MODEL }),
]
const generations = {
  list: async () => MANIFESTS.map(({ generation }) => generation),
  read: async (name: string) => MANIFESTS.find(({ generation }) => generation === name)!,
}
const [, dg2, dg3] = MANIFESTS
const frozen: FleetRecord = {
  ...EMPTY_RECORD,
  frozen: { generation: refOf(dg3!), since: '2026-01-01T00:00:00.000Z', by: 'somebody' },
}
const find = async (record?: FleetRecord) =>
  (await findNewestUnderOther(generations, NEW_MODEL, record)).generation

test('takes the newest generation that is not under the wanted model', async () => {
  assert.is(await find(), 'dg_3')
})

test('takes none that an operator went back from, nor one that failed, also under another number', async () => {
  assert.is(await find(frozen), 'dg_2')
  const failed = {
    generation: { name: 'dg_9', digest: 'sha256:9' },
    content: computeContentDigest(dg2!),
    reason: 'it answered wrongly',
    at: '2026-01-02T00:00:00.000Z',
  }
  assert.is(await find({ ...frozen, quarantined: [failed] }), 'dg_1')
})

test('says so where there is none', async () => {
  const empty = { ...generations, list: async () => ['dg_4'] }
  const error = await raised('not-found', findNewestUnderOther(empty, NEW_MODEL))
  assert.match(error.message, 'there is no generation under another model than words')
})

test.run()
