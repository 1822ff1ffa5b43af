import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { countBytes } from '../../lib/domain/manifest.ts'
import { parseManifest } from '../../lib/domain/parse-manifest.ts'
import { eventually } from '../support/eventually.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { FLEET, type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'

const NODES = ['n1', 'n2', 'n3']
const RELAYS = `label=longshore.relay=${FLEET}`
/** So slow that there is time to look on. */
const SLOW = { delivery: { limits: { total: '100K' }, pieceKilobytes: 16 } }

let fleet: SwarmFleet

test.before(async () => {
  fleet = await startSwarmFleet({ clusters: 1, profile: SLOW })
  for (const name of ['dg_1', 'dg_2', 'dg_3', 'dg_4']) await fleet.makeGeneration(name, 1200)
})
test.after(async () => {
  await fleet?.stop({ hasFailed: hasFailed() })
})

scenario('relays a generation to all nodes, and leaves nothing but it behind', async () => {
  const { code, json, stderr } = await fleet.run('deliver', 'dg_1')
  assert.is(code, 0, stderr)
  const copies = json.bytesSent / sizeOf('dg_1')
  assert.ok(copies < 1.5, `${copies} copies left`)
  assert.equal(
    json.plan.map(({ via }: { via: string }) => via),
    ['relay', 'relay', 'relay'],
  )
  for (const { started, published } of json.timeline) assert.ok(published > started)
  assert.equal(await listRelays(), [])
  for (const node of NODES) assert.is((await listHome(node)).trim(), 'dg_1')
})

scenario('tells no secret to anybody who looks at processes or containers', async () => {
  const { ended } = fleet.start('deliver', 'dg_2')
  const seen = await eventually(async () => {
    const [id] = await listRelays('n2')
    assert.ok(id)
    const processes = await fleet.lab.exec('n2', ['ps', 'axww', '-o', 'args'])
    assert.match(processes, 'services/relay/main.ts')
    return `${await fleet.lab.docker('n2', 'inspect', id)}\n${processes}`
  }, 90_000)
  assert.not.match(seen, /[A-Za-z0-9+/]{43}=/)
  const { code, stderr } = await ended
  assert.is(code, 0, stderr)
})

scenario(
  'relays of a command that was killed end by themselves, and the next run brings the rest',
  async () => {
    const running = fleet.start('deliver', 'dg_3')
    await eventually(async () => assert.match(await listHome('n1'), '.dg_3.partial'), 90_000)
    await eventually(async () => assert.is((await listRelays()).length, NODES.length), 90_000)
    running.kill('SIGKILL')
    await running.ended
    await eventually(async () => assert.equal(await listRelays(), []), 120_000)
    for (const node of NODES) assert.not.match(await listHome(node), /^dg_3$/m)
    await fleet.configure()
    const { code, json, stderr } = await fleet.run('deliver', 'dg_3', '--wait', '60')
    assert.is(code, 0, stderr)
    assert.ok(json.bytesSent < 1.5 * sizeOf('dg_3'), `${json.bytesSent} bytes left`)
    for (const node of NODES) assert.match(await listHome(node), /^dg_3$/m)
  },
)

scenario('sends directly to a node that has no image for a relay, and says so', async () => {
  const image = (await fleet.lab.docker('n2', 'images', '--quiet', 'longshore')).split('\n')[0]!
  await fleet.lab.docker('n2', 'rmi', '--force', image)
  const run = await fleet.run('deliver', 'dg_4')
  assert.is(run.code, 0, run.stderr)
  assert.match(run.stderr, /n2: no relay \(.*image.*\); it is sent to directly/)
  for (const node of NODES) assert.match(await listHome(node), /^dg_4$/m)
})

test.run()

function sizeOf(name: string): number {
  return countBytes(parseManifest(readFileSync(fleet.path('dgs', name, 'manifest.json'), 'utf8'), name))
}

/** Ids of containers of relays, on one node or on all. */
async function listRelays(node?: string): Promise<string[]> {
  const found = await Promise.all(
    (node === undefined ? NODES : [node]).map((one) =>
      fleet.lab.docker(one, 'ps', '--all', '--quiet', '--filter', RELAYS),
    ),
  )
  return found.flatMap((text) => text.split('\n').filter(Boolean))
}

/** Everything that a node keeps, one name a line. */
async function listHome(node: string): Promise<string> {
  return await fleet.lab.exec(node, ['ls', '-A', '--ignore=lost+found', '/var/lib/longshore'])
}
