import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { createFatePackages } from '../../lib/adapters/fate/packages.ts'
import type { ErrorKind } from '../../lib/domain/errors.ts'
import type { Roles } from '../../lib/domain/fate/parties.ts'
import { type MigratePartyOptions, migrateParty } from '../../lib/flows/migrate-party.ts'
import { rejectsWith } from '../support/errors.ts'
import {
  CASES,
  type ConfigOptions,
  fateContext,
  listFiles,
  message,
  placesOf,
  sortedFields,
  sortKeys,
  textsOf,
  writeConfig,
  writeFile,
  writeModel,
} from '../support/fate.ts'
import { makeTempDir } from '../support/temp.ts'

function options(
  changes: Partial<MigratePartyOptions> & { config: string; from: string },
): MigratePartyOptions {
  return { to: undefined, as: 'both', isCompat: false, keepsLeftovers: false, ...changes }
}

/** Migrates a case of FATE-Flow itself; answers where the new packages are. */
async function migrateCase(root: string, changes: Partial<MigratePartyOptions> = {}): Promise<string> {
  const to = makeTempDir()
  const order = {
    config: join(root, 'migrate_model.json'),
    from: join(root, 'input/model_local_cache'),
    to,
    ...changes,
  }
  await migrateParty(fateContext(), options(order))
  return to
}

/** Fails unless two versions say the same, message by message, whatever the order of maps. */
function assertSame(made: string, expected: string): void {
  const files = listFiles(expected)
  assert.equal(
    listFiles(made).filter((file) => file !== '.lock'),
    files.filter((file) => file !== '.lock'),
  )
  for (const file of files.filter((name) => name !== 'import_model.json' && name !== '.lock')) {
    const [ours, theirs] = [made, expected].map((root) => readFileSync(join(root, file)))
    if (file.endsWith('.json')) assert.equal(jsonOf(ours!), jsonOf(theirs!), file)
    else if (file.endsWith('.yaml'))
      assert.equal(sortKeys(parse(String(ours))), sortKeys(parse(String(theirs))), file)
    else if (file.startsWith('define/')) assert.is(String(ours), String(theirs), file)
    else assert.equal(sortedFields(ours!), sortedFields(theirs!), file)
  }
}

/** A JSON form; the JSON in its base64 members is compared as JSON. */
function jsonOf(bytes: Uint8Array): unknown {
  const value = JSON.parse(String(bytes)) as Record<string, unknown>
  const decoded = Object.entries(value).map(([key, member]) => {
    const text = typeof member === 'string' ? Buffer.from(member, 'base64').toString() : ''
    return [key, text.startsWith('{') ? JSON.parse(text) : member]
  })
  return sortKeys(Object.fromEntries(decoded))
}

test('--compat writes what FATE-Flow 1.11 writes, message by message', async () => {
  const to = await migrateCase(CASES.new, { isCompat: true })
  const expected = join(CASES.new, 'expected/model_local_cache')
  const parties = readdirSync(expected)
  assert.is(parties.length, 3)
  for (const party of parties) {
    assertSame(join(to, party, '202901_0001'), join(expected, party, '202901_0001'))
    const [ours, theirs] = [to, expected].map((root) =>
      JSON.parse(String(readFileSync(join(root, party, '202901_0001/import_model.json')))),
    )
    assert.equal({ ...ours, file: '' }, { ...theirs, file: '' })
  }
})

test('--compat writes what FATE-Flow 1.8 writes, message by message', async () => {
  const to = await migrateCase(CASES.former, { isCompat: true })
  const expected = join(CASES.former, 'expected/unzipped')
  for (const name of readdirSync(expected)) {
    const party = name.replace(/_fate_migration$/, '')
    assertSame(join(to, party, 'fate_migration'), join(expected, name))
    const [ours, theirs] = [join(to, party, 'fate_migration'), join(expected, name)].map((root) =>
      JSON.parse(String(readFileSync(join(root, 'import_model.json')))),
    )
    assert.equal({ ...ours, file: '' }, { ...theirs, file: '' })
  }
})

test('an archive of --compat holds the entries of the original', async () => {
  const to = await migrateCase(CASES.new, { isCompat: true, as: 'archive' })
  const name = 'guest#99#arbiter-100#guest-99#host-100#model_202901_0001.zip'
  const entriesOf = (path: string) =>
    execFileSync('unzip', ['-Z1', path], { encoding: 'utf8' }).trim().split('\n').sort()
  assert.equal(entriesOf(join(to, name)), entriesOf(join(CASES.new, 'expected/zip', name)))
  assert.equal(
    readdirSync(to).filter((file) => !file.includes('.zip')),
    [],
  )
})

for (const root of Object.values(CASES)) {
  test(`strict leaves no former party anywhere: ${root.split('/').at(-1)}`, async () => {
    const to = await migrateCase(root)
    for (const file of listFiles(to).filter((name) => !name.includes('.zip') && !name.includes('define/'))) {
      const text = readFileSync(join(to, file), 'latin1')
      // Counts that equal a former id, and nothing else.
      const rest = file.endsWith('FeatureBinningMeta.json')
        ? text.replace('"compressThres": "10000", "headSize": "10000"', '')
        : text
      const decoded = file.endsWith('Pipeline.json')
        ? rest.replaceAll(/"([A-Za-z0-9+/]{20,}=*)"/g, (_, base64) =>
            Buffer.from(base64, 'base64').toString(),
          )
        : rest
      assert.not.match(decoded, /9999|10000/, file)
    }
  })
}

test('strict changes no number that equals a former id', async () => {
  const to = await migrateCase(CASES.new)
  const path = 'variables/data/hetero_feature_binning_0/model/FeatureBinningMeta'
  const [fresh, former] = [
    join(to, 'host#100#arbiter-100#guest-99#host-100#model/202901_0001'),
    join(
      CASES.new,
      'input/model_local_cache/host#10000#arbiter-10000#guest-9999#host-10000#model/202006171904247702041',
    ),
  ]
  for (const file of [path, `${path}.json`])
    assert.equal(readFileSync(join(fresh, file)), readFileSync(join(former, file)))
})

test('archives and directories of the same packages become the same', async () => {
  const to = makeTempDir()
  const config = join(CASES.new, 'migrate_model.json')
  await migrateParty(
    fateContext(),
    options({ config, from: join(CASES.new, 'input/zip'), to, as: 'directory' }),
  )
  const other = await migrateCase(CASES.new, { as: 'directory' })
  assert.equal(listFiles(to), listFiles(other))
  for (const file of listFiles(to).filter((name) => !name.endsWith('import_model.json')))
    assert.equal(readFileSync(join(to, file)), readFileSync(join(other, file)), file)
})

test('answers as FATE-Flow does, but for the place of the archives', async () => {
  const [from, to] = [join(CASES.new, 'input/model_local_cache'), makeTempDir()]
  const { json } = await migrateParty(
    fateContext(),
    options({ config: join(CASES.new, 'migrate_model.json'), from, to }),
  )
  const theirs = JSON.parse(String(readFileSync(join(CASES.new, 'migrate_response.json'))))
  const plain = (value: unknown) =>
    JSON.parse(JSON.stringify(value).replaceAll(/at '[^']*\/temp\//g, `at '${to}/`))
  const { data, retcode, retmsg } = json
  assert.equal(sortKeys({ data, retcode, retmsg }), sortKeys(plain({ ...theirs, jobId: undefined })))
})

const TWO_HOSTS: Roles = { guest: [9999], host: [10000, 10001] }
const EXCHANGED: Roles = { guest: [9999], host: [10001, 10000] }

/** A guest's package that names two hosts. */
function writeGuest(cache: string, roles: Roles = TWO_HOSTS): string {
  const [first, second] = roles.host!
  const result = (id: number) =>
    [
      [
        1,
        [
          [1, `host_${id}_列`],
          [2, [[11, `host_${id}_列.0`]]],
        ],
      ],
      [2, 'host'],
      [3, String(id)],
    ] as const
  const binning = message([2, result(first!)], [2, result(second!)], [4, 'guest_9999_x0'])
  return writeModel(cache, {
    ...{ roles, party: { role: 'guest', id: 9999 } },
    components: {
      bin_0: ['HeteroFeatureBinning', binning],
      lr_0: ['HeteroLR', message([1, 10000], [3, 'x'])],
    },
  })
}

test('two hosts exchange their ids', async () => {
  const cache = makeTempDir()
  writeGuest(cache)
  const config = writeConfig(cache, {
    role: TWO_HOSTS,
    migrateRole: EXCHANGED,
    executeParty: { guest: [9999] },
  })
  const answer = await migrateParty(fateContext(), options({ config, from: cache }))
  assert.equal(answer.json.leftovers, [])
  const root = join(cache, placesOf({ role: 'guest', id: 9999 }, EXCHANGED).directory)
  assert.equal(textsOf(readFileSync(join(root, 'variables/data/bin_0/model/ModelParam'))), [
    ...['host_10001_列', 'host_10001_列.0', 'host', '10001'],
    ...['host_10000_列', 'host_10000_列.0', 'host', '10000', 'guest_9999_x0'],
  ])
  const pipeline = textsOf(readFileSync(join(root, 'variables/data/pipeline/pipeline/Pipeline')))
  assert.ok(pipeline.includes('{"guest": [9999], "host": [10001, 10000]}'), pipeline.join('\n'))
})

test('the former package stays byte for byte, and a dry run writes nothing', async () => {
  const cache = makeTempDir()
  const root = writeGuest(cache)
  const config = writeConfig(cache, {
    role: TWO_HOSTS,
    migrateRole: EXCHANGED,
    executeParty: { guest: [9999] },
  })
  const before = listFiles(root).map((file) => readFileSync(join(root, file), 'latin1'))
  const names = readdirSync(cache)
  const { plan } = await migrateParty(fateContext({ dryRun: true }), options({ config, from: cache }))
  assert.equal(readdirSync(cache), names)
  assert.ok(plan?.steps.every(({ cause }) => cause !== ''))
  assert.equal(plan?.steps.map(({ target }) => target).slice(1), ['guest#9999 pipeline', 'guest#9999 bin_0'])
  await migrateParty(fateContext(), options({ config, from: cache }))
  assert.equal(
    listFiles(root).map((file) => readFileSync(join(root, file), 'latin1')),
    before,
  )
})

test('a name in a module that nobody knows is refused with its place, and kept on request', async () => {
  const cache = makeTempDir()
  const root = writeGuest(cache)
  writeFile(root, 'variables/data/lr_0/model/ModelParam', message([4, [[1, 'host_10000_x0']]], [5, '10000']))
  const config = writeConfig(cache, {
    role: TWO_HOSTS,
    migrateRole: EXCHANGED,
    executeParty: { guest: [9999] },
  })
  const error = await rejectsWith(
    migrateParty(fateContext(), options({ config, from: cache })),
    'gate',
    /lr_0\/model\/ModelParam: 4\[0\]\.1\[0\]: host_10000_x0/,
  )
  assert.match(error.message, 'in 1 places')
  assert.is((error.answer.leftovers as unknown[]).length, 2)
  assert.not(existsSync(join(cache, placesOf({ role: 'guest', id: 9999 }, EXCHANGED).archive)))
  const { json } = await migrateParty(fateContext(), options({ config, from: cache, keepsLeftovers: true }))
  assert.is((json.leftovers as unknown[]).length, 2)
})

test('a missing buffer is an error; --compat drops its component as the original does', async () => {
  const cache = makeTempDir()
  const root = writeGuest(cache)
  rmSync(join(root, 'variables/data/lr_0/model/ModelParam'))
  const config = writeConfig(cache, {
    role: TWO_HOSTS,
    migrateRole: EXCHANGED,
    executeParty: { guest: [9999] },
  })
  await rejectsWith(
    migrateParty(fateContext(), options({ config, from: cache })),
    'corrupt',
    /lacks variables\/data\/lr_0/,
  )
  await migrateParty(fateContext(), options({ config, from: cache, isCompat: true }))
  const made = join(cache, placesOf({ role: 'guest', id: 9999 }, EXCHANGED).directory)
  const meta = parse(String(readFileSync(join(made, 'define/define_meta.yaml'))))
  assert.equal(meta.model_proto.lr_0, { model: {} })
  assert.equal(meta.component_define.lr_0, { module_name: 'HeteroLR' })
})

test('a job without a version of its own gives the version', async () => {
  const cache = makeTempDir()
  writeGuest(cache)
  const order: ConfigOptions = { role: TWO_HOSTS, migrateRole: EXCHANGED, executeParty: { guest: [9999] } }
  const config = writeConfig(cache, order, { unify_model_version: null })
  const { json } = await migrateParty(fateContext(), options({ config, from: cache }))
  assert.is((json.packages as { model_version: string }[])[0]!.model_version, '202611220102030040000')
})

type Damage = {
  readonly what: string
  readonly kind: ErrorKind
  readonly words: RegExp
  damage(root: string, cache: string): void
}
const GUEST = placesOf({ role: 'guest', id: 9999 }, EXCHANGED)

const DAMAGES: readonly Damage[] = [
  {
    what: 'a buffer that does not parse',
    kind: 'corrupt',
    words: /^guest 9999: variables\/data\/lr_0\/model\/ModelParam: is no protobuf message/,
    damage: (root) => writeFile(root, 'variables/data/lr_0/model/ModelParam', Uint8Array.of(0x0a, 90, 1)),
  },
  {
    what: 'a pipeline that is no JSON inside',
    kind: 'corrupt',
    words: /trainRuntimeConf is no JSON/,
    damage: (root) => writeFile(root, 'variables/data/pipeline/pipeline/Pipeline', message([3, '{"role":'])),
  },
  {
    what: 'a define_meta.yaml that is none',
    kind: 'corrupt',
    words: /define_meta\.yaml: is no YAML/,
    damage: (root) => writeFile(root, 'define/define_meta.yaml', '{"a": ['),
  },
  {
    what: 'a package without a pipeline',
    kind: 'corrupt',
    words: /lacks variables\/data\/pipeline/,
    damage: (root) => rmSync(join(root, 'variables/data/pipeline/pipeline/Pipeline')),
  },
  {
    what: 'a package that is not there',
    kind: 'not-found',
    words: /there is no model package: looked for .*guest#9999#guest-9999#host-10000_10001#model/,
    damage: (root) => rmSync(root, { recursive: true }),
  },
  {
    what: 'a party of the model that is not in role',
    kind: 'usage',
    words: /ModelParam: "host_1234_x0" names the party host 1234/,
    damage: (root) => writeFile(root, 'variables/data/bin_0/model/ModelParam', message([4, 'host_1234_x0'])),
  },
  {
    what: 'a version that is occupied by a directory',
    kind: 'usage',
    words: /Unify model version moved has been occupied/,
    damage: (_, cache) => writeFile(cache, join(GUEST.directory, 'x'), ''),
  },
  {
    what: 'a version that is occupied by an archive',
    kind: 'usage',
    words: /Unify model version moved has been occupied/,
    damage: (_, cache) => writeFile(cache, GUEST.archive, ''),
  },
]

for (const { what, kind, words, damage } of DAMAGES) {
  test(`leaves nothing after ${what}, and answers for every party`, async () => {
    const cache = makeTempDir()
    damage(writeGuest(cache), cache)
    const config = writeConfig(cache, {
      role: TWO_HOSTS,
      migrateRole: EXCHANGED,
      executeParty: { guest: [9999] },
    })
    const before = listFiles(cache)
    const error = await rejectsWith(
      migrateParty(fateContext(), options({ config, from: cache })),
      kind,
      words,
    )
    assert.equal(listFiles(cache), before)
    assert.equal(
      readdirSync(cache).filter((name) => name.startsWith('.')),
      [],
    )
    assert.is(error.answer.retcode, 100)
    assert.equal((error.answer.data as { guest: unknown }).guest, { 9999: 100 })
  })
}

test('one party that fails leaves none', async () => {
  const [cache, to] = [makeTempDir(), makeTempDir()]
  writeGuest(cache)
  const config = writeConfig(cache, { role: TWO_HOSTS, migrateRole: EXCHANGED, executeParty: TWO_HOSTS })
  for (const id of TWO_HOSTS.host!) {
    const header = message([6, id === 10001 ? 'host_5_x' : `host_${id}_x`])
    writeModel(cache, {
      roles: TWO_HOSTS,
      party: { role: 'host', id },
      components: { t_0: ['DataTransform', header] },
    })
  }
  const error = await rejectsWith(
    migrateParty(fateContext(), options({ config, from: cache, to })),
    'usage',
    /^host 10001: /,
  )
  assert.equal(readdirSync(to), [])
  const { detail } = error.answer.data as { detail: Record<string, Record<string, { retmsg: string }>> }
  assert.match(detail.host![10000]!.retmsg, /not migrated, because of host 10001/)
})

test('a package of other parties than the configuration tells is refused', async () => {
  const cache = makeTempDir()
  const root = writeGuest(cache)
  const config = writeConfig(cache, {
    role: TWO_HOSTS,
    migrateRole: EXCHANGED,
    executeParty: { guest: [9999] },
  })
  const strange = { guest: [9999], host: [1, 2] }
  const other = writeModel(makeTempDir(), {
    roles: strange,
    party: { role: 'guest', id: 9999 },
    components: {},
  })
  const pipeline = 'variables/data/pipeline/pipeline/Pipeline'
  writeFileSync(join(root, pipeline), readFileSync(join(other, pipeline)))
  await rejectsWith(
    migrateParty(fateContext(), options({ config, from: cache })),
    'usage',
    /its pipeline is of model guest-9999#host-1_2#model/,
  )
})

test('the archive of another party is refused', async () => {
  const members = {
    ...JSON.parse(String(readFileSync(join(CASES.new, 'migrate_model.json')))),
    execute_party: { guest: [9999] },
  }
  const config = join(makeTempDir(), 'm.json')
  writeFileSync(config, JSON.stringify(members))
  const from = join(
    CASES.new,
    'input/zip/host#10000#arbiter-10000#guest-9999#host-10000#model_202006171904247702041.zip',
  )
  const to = makeTempDir()
  await rejectsWith(
    migrateParty(fateContext(), options({ config, from, to })),
    'usage',
    /is the package of host 10000, not of guest 9999/,
  )
  assert.equal(readdirSync(to), [])
})

test('a truncated archive, and one whose contents are damaged, are corrupt', async () => {
  const [cache, from] = [makeTempDir(), makeTempDir()]
  writeGuest(cache)
  const config = writeConfig(cache, {
    role: TWO_HOSTS,
    migrateRole: EXCHANGED,
    executeParty: { guest: [9999] },
  })
  await migrateParty(fateContext(), options({ config, from: cache, to: from, as: 'archive' }))
  const back = writeConfig(
    from,
    { role: EXCHANGED, migrateRole: TWO_HOSTS, executeParty: { guest: [9999] } },
    { model_version: 'moved', unify_model_version: 'again' },
  )
  const path = join(from, GUEST.archive)
  const whole = readFileSync(path)
  for (const length of [0, 10, whole.length >> 1, whole.length - 1]) {
    writeFileSync(path, whole)
    truncateSync(path, length)
    await rejectsWith(
      migrateParty(fateContext(), options({ config: back, from })),
      'corrupt',
      /zip|damaged|guest 9999/,
    )
  }
  const damaged = Buffer.from(whole)
  const at =
    damaged.indexOf('variables/data/lr_0/model/ModelParam') + 'variables/data/lr_0/model/ModelParam'.length
  damaged[at + 1]! ^= 0x10
  writeFileSync(path, damaged)
  await rejectsWith(
    migrateParty(fateContext(), options({ config: back, from })),
    'corrupt',
    /ModelParam is damaged/,
  )
  assert.equal(
    readdirSync(from).sort(),
    [GUEST.archive, `${GUEST.archive}.sha256`, 'migrate_model.json'].sort(),
  )
})

test('the SHA-256 beside an archive is that of the archive, and the same package makes the same archive', async () => {
  const [first, second] = [await migrateCase(CASES.former), await migrateCase(CASES.former)]
  for (const name of readdirSync(first).filter((file) => file.endsWith('.sha256'))) {
    const sum = execFileSync('sha256sum', ['--check', name], { cwd: first, encoding: 'utf8' })
    assert.match(sum, 'OK')
    const { sha256, written } = await createFatePackages().digest(join(first, name.replace('.sha256', '')))
    assert.is(written, sha256)
    const packed = execFileSync('unzip', ['-p', join(second, name.replace('.sha256', '')), 'pipeline.pb'])
    assert.ok(packed.length > 0)
  }
  assert.ok(readdirSync(first).some((file) => file.endsWith('.sha1')))
})

test.run()
