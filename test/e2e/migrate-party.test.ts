import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { CASES, message, writeConfig, writeModel } from '../support/fate.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { makeTempDir } from '../support/temp.ts'

const CONFIG = join(CASES.new, 'migrate_model.json')
const CACHE = join(CASES.new, 'input/model_local_cache')

let fleet: Fleet
test.before(async () => {
  fleet = await makeFleet()
})
test.after(async () => {
  await fleet.stop()
})

test('migrates all parties, and imports one of the packages', async () => {
  const to = makeTempDir()
  const { code, json, stderr } = await fleet.run('migrate-party', CONFIG, '--from', CACHE, '--to', to)
  assert.is(code, 0, stderr)
  assert.is(json.retmsg, 'success')
  assert.equal(json.data.host, { 10000: 0 })
  assert.equal(json.leftovers, [])
  const [{ path, sha256 }] = json.packages
  const into = makeTempDir()
  const imported = await fleet.run('migrate-party', 'import', path, '--into', into, '--sha256', sha256)
  assert.is(imported.code, 0, imported.stderr)
  assert.is(imported.json.data.party_id, '99')
  const again = await fleet.run('migrate-party', CONFIG, '--from', CACHE, '--to', to)
  assert.is(again.code, 2)
  assert.match(again.json.error.message, 'Unify model version 202901_0001 has been occupied')
  assert.equal(again.json.data.guest, { 9999: 100 })
})

test('every failure has an exit code of its own', async () => {
  const directory = makeTempDir()
  const change = (members: object) => {
    const path = join(directory, 'm.json')
    writeFileSync(path, JSON.stringify({ ...JSON.parse(String(readFileSync(CONFIG))), ...members }))
    return path
  }
  const run = async (...args: string[]) =>
    (await fleet.run('migrate-party', ...args, '--to', join(directory, 'to'))).code
  assert.is(await run(join(directory, 'nowhere.json')), 2)
  assert.is(
    await run(change({ migrate_role: { guest: [99], host: [1, 2], arbiter: [1] } }), '--from', CACHE),
    2,
  )
  assert.is(await run(change({}), '--from', join(directory, 'nowhere')), 10)
  assert.is(await run(change({}), 'more'), 2)
  assert.is(await run('import'), 2)
  assert.is(await run(change({}), '--from', CACHE, '--as', 'tar'), 2)
  assert.is(await run(change({}), '--server', 'http://127.0.0.1:1'), 30)
  const zip = join(directory, 'x.zip')
  writeFileSync(zip, 'no zip')
  assert.is(await run(change({ execute_party: { guest: [9999] } }), '--from', zip), 12)
})

test('killed at any moment it leaves nothing under a final name, and the next run makes all', async () => {
  const [cache, to] = [makeTempDir(), makeTempDir()]
  const [roles, fresh] = [{ guest: [1] }, { guest: [2] }]
  const component = (index: number) => [`t_${index}`, ['DataTransform', message([6, 'guest_1_x'])]] as const
  writeModel(cache, {
    ...{ roles, party: { role: 'guest', id: 1 } },
    components: Object.fromEntries(Array.from({ length: 250 }, (_, index) => component(index))),
  })
  const config = writeConfig(cache, { role: roles, migrateRole: fresh, executeParty: roles })
  const args = ['migrate-party', config, '--from', cache, '--to', to] as const
  const running = fleet.start(...args)
  await eventually(() => assert.ok(readdirSync(to).some((name) => name.startsWith('.fate.partial-'))), 60_000)
  running.kill('SIGKILL')
  await running.ended
  assert.ok(
    readdirSync(to).every((name) => name.startsWith('.')),
    readdirSync(to).join(', '),
  )
  mkdirSync(to, { recursive: true })
  const { code, stderr } = await fleet.run(...args)
  assert.is(code, 0, stderr)
  assert.equal(readdirSync(to).sort(), [
    'guest#2#guest-2#model',
    'guest#2#guest-2#model_moved.zip',
    'guest#2#guest-2#model_moved.zip.sha256',
  ])
})

test.run()
