import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parsePipeline } from '../../lib/domain/fate/pipeline.ts'
import { type ImportPartyOptions, importParty } from '../../lib/flows/import-party.ts'
import { migrateParty } from '../../lib/flows/migrate-party.ts'
import { migrateRemotely } from '../../lib/flows/migrate-remotely.ts'
import { rejectsWith } from '../support/errors.ts'
import { CASES, fateContext, listFiles } from '../support/fate.ts'
import { type StubReply, startStub } from '../support/stub-server.ts'
import { makeTempDir } from '../support/temp.ts'

const MODEL = 'arbiter-100#guest-99#host-100#model'
const GUEST_ZIP = `guest#99#${MODEL}_202901_0001.zip`
const CONFIG = join(CASES.new, 'migrate_model.json')
const PIPELINE = 'variables/data/pipeline/pipeline/Pipeline'

const archives = makeTempDir()
test.before(async () => {
  const from = join(CASES.new, 'input/model_local_cache')
  await migrateParty(fateContext(), {
    ...{ config: CONFIG, from, to: archives, as: 'archive' },
    ...{ isCompat: false, keepsLeftovers: false },
  })
})

function order(changes: Partial<ImportPartyOptions> = {}): ImportPartyOptions {
  const defaults = { server: undefined, isForced: false, sha256: undefined, isCompat: false }
  return { source: join(archives, GUEST_ZIP), into: makeTempDir(), ...defaults, ...changes }
}

/** `import_model.json` for the guest's archive, with other members. */
function writeImport(changes: object): string {
  const path = join(makeTempDir(), 'import_model.json')
  const members = {
    role: 'guest',
    party_id: 99,
    model_id: MODEL,
    model_version: '202901_0001',
    file: join(archives, GUEST_ZIP),
  }
  writeFileSync(path, JSON.stringify({ ...members, ...changes }))
  return path
}

test('a package that was migrated is imported where FATE-Flow looks for it', async () => {
  const into = makeTempDir()
  const { json } = await importParty(fateContext(), order({ into }))
  const root = join(into, `guest#99#${MODEL}`, '202901_0001')
  assert.is(json.path, root)
  const { job_id: job, ...data } = json.data as Record<string, string>
  assert.match(job!, /^\d{21}$/)
  assert.equal(data, { model_id: MODEL, model_version: '202901_0001', party_id: '99', role: 'guest' })
  assert.ok(listFiles(root).includes('variables/data/hetero_lr_0/model/HeteroLogisticRegressionParam'))
  assert.equal(readdirSync(into), [`guest#99#${MODEL}`])
})

test('a version that is there stays; --force puts the package in its place', async () => {
  const into = makeTempDir()
  await importParty(fateContext(), order({ into }))
  const marker = join(into, `guest#99#${MODEL}`, '202901_0001/marker')
  writeFileSync(marker, '')
  await rejectsWith(importParty(fateContext(), order({ into })), 'usage', /local cache already existed/)
  assert.ok(listFiles(into).some((file) => file.endsWith('marker')))
  await importParty(fateContext(), order({ into, isForced: true }))
  assert.not(listFiles(into).some((file) => file.endsWith('marker')))
  assert.equal(readdirSync(into), [`guest#99#${MODEL}`])
})

test('another version is written into every place of the pipeline; the original forgets one', async () => {
  for (const isCompat of [false, true]) {
    const into = makeTempDir()
    await importParty(
      fateContext(),
      order({ into, isCompat, source: writeImport({ model_version: 'later' }) }),
    )
    const root = join(into, `guest#99#${MODEL}`, 'later')
    const pipeline = parsePipeline(readFileSync(join(root, PIPELINE)))
    assert.is(pipeline.modelVersion, 'later')
    assert.match(JSON.stringify(pipeline.runtimeConfOnParty), '"model_version":"later"')
    const stale = JSON.stringify(pipeline.trainRuntimeConf).includes('202901_0001')
    assert.is(stale, isCompat)
    const sidecar = JSON.parse(String(readFileSync(join(root, `${PIPELINE}.json`))))
    assert.is(sidecar.modelVersion, 'later')
  }
})

test('what the migration of 1.8 leaves stale is repaired by the import', async () => {
  const [to, into] = [makeTempDir(), makeTempDir()]
  const from = join(CASES.former, 'input/model_local_cache')
  const config = join(CASES.former, 'migrate_model.json')
  const shared = { config, from, to, keepsLeftovers: false, isCompat: true }
  await migrateParty(fateContext(), { ...shared, as: 'archive' })
  const source = join(to, `host#100#${MODEL}_fate_migration.zip`)
  await importParty(fateContext(), order({ source, into }))
  const root = join(into, `host#100#${MODEL}`, 'fate_migration')
  for (const file of [PIPELINE, 'pipeline.pb'])
    assert.not.match(String(readFileSync(join(root, file))), /9999|10000/, file)
  assert.is(JSON.parse(String(readFileSync(join(root, `${PIPELINE}.json`)))).modelId, MODEL)
})

const REFUSED: [
  string,
  object,
  Partial<ImportPartyOptions>,
  'gate' | 'usage' | 'corrupt' | 'not-found',
  RegExp,
][] = [
  ['a party that takes no part', { party_id: 12345 }, {}, 'gate', /Party id "12345" is not in role "guest"/],
  [
    'the package of another role',
    { role: 'host', party_id: 100 },
    {},
    'gate',
    /is of guest 99, not of host 100/,
  ],
  [
    'another model id',
    { model_id: 'other#model' },
    {},
    'gate',
    /is of model arbiter-100.*not of other#model/,
  ],
  ['a party id in quotes', { party_id: '99' }, {}, 'usage', /party_id must be an integer, got "99"/],
  ['a version that leads out', { model_version: '../..' }, {}, 'usage', /can name a directory/],
  ['a missing member', { role: undefined }, {}, 'usage', /required argument are missing: role/],
  ['a file that is not there', { file: '/nowhere/x.zip' }, {}, 'not-found', /\/nowhere\/x\.zip/],
  [
    'another digest',
    {},
    { sha256: 'ab' },
    'corrupt',
    /Model archive hash mismatch.*expected: ab actual: [0-9a-f]{64}/,
  ],
]

for (const [what, members, changes, kind, words] of REFUSED) {
  test(`import refuses ${what}, and leaves nothing`, async () => {
    const into = makeTempDir()
    await rejectsWith(
      importParty(fateContext(), order({ ...changes, into, source: writeImport(members) })),
      kind,
      words,
    )
    assert.equal(readdirSync(into), [])
  })
}

test('import refuses what is no archive', async () => {
  const source = join(makeTempDir(), 'x.zip')
  writeFileSync(source, 'no zip')
  await rejectsWith(importParty(fateContext(), order({ source })), 'corrupt', /is no whole zip archive/)
})

test('--compat imports the package of a guest as that of a host, as the original does', async () => {
  const into = makeTempDir()
  await importParty(
    fateContext(),
    order({ into, isCompat: true, source: writeImport({ role: 'host', party_id: 100 }) }),
  )
  assert.equal(readdirSync(into), [`host#100#${MODEL}`])
})

/** A FATE-Flow that answers every request with one body. */
async function withServer<T>(
  reply: StubReply,
  use: (url: string, requests: readonly { path: string; body: string }[]) => Promise<T>,
): Promise<T> {
  const server = await startStub(() => reply)
  try {
    return await use(server.url, server.requests)
  } finally {
    await server.stop()
  }
}

const answerOf = (name: string) => ({ body: String(readFileSync(join(CASES.new, name))) })

test('a server that migrated is believed by what each party answers', async () => {
  await withServer(answerOf('migrate_response.json'), async (url, requests) => {
    const { json, text } = await migrateRemotely(fateContext(), { config: CONFIG, server: url })
    assert.is(json.jobId, '202611201944072520670')
    assert.match(text, 'guest 9999: Migrating model successfully')
    assert.is(requests[0]!.path, '/v1/model/migrate')
    assert.equal(JSON.parse(requests[0]!.body), JSON.parse(String(readFileSync(CONFIG))))
  })
})

test('a server that says success while every party failed has failed', async () => {
  await withServer(answerOf('migrate_again_response.json'), async (url) => {
    const error = await rejectsWith(
      migrateRemotely(fateContext(), { config: CONFIG, server: url }),
      'remote',
      /host 10000: Unify model version 202901_0001 has been occupied/,
    )
    assert.is(error.answer.retcode, 0)
  })
})

test('a server where some parties failed has done a part', async () => {
  const reply = JSON.parse(answerOf('migrate_response.json').body)
  reply.data.detail.host[10000] = { retcode: 100, retmsg: "'1234'" }
  delete reply.data.detail.arbiter
  await withServer({ body: JSON.stringify(reply) }, async (url) => {
    const error = await rejectsWith(
      migrateRemotely(fateContext(), { config: CONFIG, server: url }),
      'partial',
      /host 10000: '1234'/,
    )
    assert.match(error.message, 'arbiter 10000: no answer of this party')
  })
})

for (const [what, reply] of [
  ['no JSON', { status: 502, body: '<html>Bad Gateway</html>' }],
  ['no retcode', { body: '{"error": "x"}' }],
  ['no answer', 'hang up'],
] as const) {
  test(`a server that gives ${what} is told with its address`, async () => {
    await withServer(reply, async (url) => {
      await rejectsWith(
        migrateRemotely(fateContext(), { config: CONFIG, server: url }),
        'remote',
        new RegExp(`${url}/v1/model/migrate: `),
      )
    })
  })
}

test('a server is asked for nothing in a dry run, and for nothing without a yes', async () => {
  await withServer({ body: '{}' }, async (url, requests) => {
    await migrateRemotely(fateContext({ dryRun: true }), { config: CONFIG, server: url })
    const confirm = async () => {
      throw new Error('no')
    }
    for (const work of [
      () => migrateRemotely(fateContext({ confirm }), { config: CONFIG, server: url }),
      () => importParty(fateContext({ confirm }), order({ server: url })),
    ])
      assert.is(await work().catch((error: Error) => error.message), 'no')
    assert.is(requests.length, 0)
  })
})

test('an archive is given to a server with its digest', async () => {
  const data = {
    job_id: '202208261102212849780',
    party_id: '99',
    role: 'guest',
    model_id: MODEL,
    model_version: '202901_0001',
  }
  await withServer(
    { body: JSON.stringify({ data, retcode: 0, retmsg: 'success' }) },
    async (url, requests) => {
      const { json } = await importParty(fateContext(), order({ server: url, isForced: true }))
      assert.equal(json.data, data)
      const { path, body } = requests[0]!
      assert.is(path, '/v1/model/import')
      const field = (name: string) => new RegExp(`name="${name}"\r\n\r\n([^\r]*)\r\n`).exec(body)?.[1]
      assert.equal(['role', 'party_id', 'model_id', 'model_version', 'force_update'].map(field), [
        'guest',
        '99',
        MODEL,
        '202901_0001',
        '1',
      ])
      assert.is(field('hash'), json.sha256)
      assert.match(body, /name="file"; filename="guest#99#/)
    },
  )
})

test('a server that refuses an archive has its words told', async () => {
  await withServer(
    { status: 409, body: '{"retcode": 409, "retmsg": "Model already exists."}' },
    async (url) => {
      await rejectsWith(
        importParty(fateContext(), order({ server: url })),
        'remote',
        /Model already exists\. \(retcode 409\)/,
      )
    },
  )
})

test.run()
