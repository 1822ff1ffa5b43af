import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import { jobIdOf } from '../../../lib/domain/fate/job-id.ts'
import { parseMigrationConfig } from '../../../lib/domain/fate/migration-config.ts'

const GOOD = {
  job_parameters: { federated_mode: 'SINGLE' },
  role: { guest: [9999], host: [10000, 10001] },
  migrate_initiator: { role: 'guest', party_id: 99 },
  migrate_role: { guest: [99], host: [10001, 10000] },
  execute_party: { host: [10001] },
  model_id: 'guest-9999#host-10000_10001#model',
  model_version: '202006171904247702041',
  unify_model_version: '特征_1',
}

const parse = (changes: object) => parseMigrationConfig(JSON.stringify({ ...GOOD, ...changes }), 'm.json')

test('reads a configuration whose hosts exchange their ids', () => {
  const { role, migrateRole, initiator, unifyModelVersion } = parse({})
  assert.equal(role.host, [10000, 10001])
  assert.equal(migrateRole.host, [10001, 10000])
  assert.equal(initiator, { role: 'guest', id: 99 })
  assert.is(unifyModelVersion, '特征_1')
  assert.is(parse({ unify_model_version: '' }).unifyModelVersion, undefined)
})

const WRONG: [string, object, RegExp][] = [
  [
    'missing members',
    { role: undefined, model_id: undefined },
    /required argument are missing: role, model_id/,
  ],
  [
    'party ids in quotes',
    { role: { guest: ['9999'], host: [10000, 10001] } },
    /role\.guest\[0\].*"9999", a text/,
  ],
  [
    'an initiator in quotes',
    { migrate_initiator: { role: 'guest', party_id: '99' } },
    /migrate_initiator\.party_id/,
  ],
  [
    'lists of unequal length',
    { migrate_role: { guest: [99], host: [1] } },
    /role\.host has 2 parties, migrate_role\.host 1/,
  ],
  ['other roles', { migrate_role: { guest: [99] } }, /expected the same roles/],
  ['a role that is none', { role: { guest: [9999], boss: [1] } }, /role\.boss is no role/],
  ['a role that is no list', { role: { guest: 9999, host: [1] } }, /role\.guest is no list/],
  [
    'a party not in its role',
    { execute_party: { host: [10002] } },
    /execute_party\.host names 10002, which is not in role\.host/,
  ],
  ['nobody to execute', { execute_party: { host: [] } }, /execute_party names no party/],
  ['a party twice', { migrate_role: { guest: [99], host: [1, 1] } }, /names a party twice/],
  [
    'nothing to migrate',
    { migrate_role: GOOD.role, migrate_initiator: { role: 'guest', party_id: 9999 } },
    /are the same/,
  ],
  [
    'an initiator that takes no part',
    { migrate_initiator: { role: 'guest', party_id: 98 } },
    /is not in migrate_role/,
  ],
  ['another model id', { model_id: 'guest-1#model' }, /the parties of role make/],
  ['a version that leads out', { unify_model_version: '../../etc' }, /cannot name a directory/],
  ['a version that is hidden', { unify_model_version: '..' }, /cannot name a directory/],
  ['a mode that is none', { job_parameters: {} }, /federated_mode/],
  ['a fraction for an id', { migrate_role: { guest: [9.5], host: [1, 2] } }, /integer/],
]

for (const [what, changes, words] of WRONG) {
  test(`refuses ${what}, naming the file and the key`, () => {
    assert.throws(
      () => parse(changes),
      (error: unknown) =>
        error instanceof LongshoreError && error.kind === 'usage' && words.test(error.message),
    )
    assert.throws(() => parse(changes), /^m\.json: |m\.json/)
  })
}

test('refuses what is no JSON object', () => {
  for (const text of ['', '[]', '{"role":'])
    assert.throws(() => parseMigrationConfig(text, 'm.json'), /m\.json: is no JSON/)
})

test('job ids have 21 digits, as those of FATE-Flow', () => {
  assert.is(jobIdOf(Date.UTC(2020, 9, 29, 15, 39, 33, 960)), '202010291539339600000')
})

test.run()
