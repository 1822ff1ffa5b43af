import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { FAULTS_PROFILE } from './support/faults-profile.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'

const HOME = '/var/lib/longshore'

let fleet: SwarmFleet

test.before(async () => {
  fleet = await startSwarmFleet({ profile: FAULTS_PROFILE })
  await fleet.makeGeneration('dg_1')
  // Large enough to be on its way for a while over a narrow line.
  await fleet.makeGeneration('dg_9', 24_000)
  assert.is((await fleet.run('update-indices', 'dg_1')).code, 0)
})
test.after(async () => {
  await fleet.stop({ hasFailed: hasFailed() })
})

scenario(
  'a delivery to a full disk names the node, and leaves nothing there under a final name',
  async () => {
    const { fault, exec } = fleet.lab
    await fault.fillDisk('n2', 100_000)
    const { code, json, stdout } = await fleet.run('deliver', 'dg_9')
    assert.is(code, 3, stdout)
    assert.match(json.error.message, /dg_9 did not reach n2 .*no room/)
    assert.equal(await listHeld('n2'), ['dg_1'])
    const update = await fleet.run('update-indices', 'dg_9')
    assert.is(update.code, 30, update.stdout)
    assert.match(update.json.error.message, /n2.*no room/)
    await fault.freeDisk('n2')
    assert.equal(await exec('n2', ['sh', '-c', `ls -A ${HOME} | grep dg_9 || :`]), '')
    for (const name of ['n1', 'n3']) await exec(name, ['rm', '-rf', `${HOME}/dg_9`])
  },
)

scenario(
  'a delivery goes on where dockerd is killed, and is continued by the next one where sshd is',
  async () => {
    const { fault, exec } = fleet.lab
    for (const node of ['n2', 'n3']) await fault.shape(node, { mbit: 16 })
    const delivery = fleet.start('deliver', 'dg_9')
    for (const node of ['n2', 'n3']) await eventually(() => checkUnderWay(node), 120_000)
    await Promise.all([fault.kill('n2', 'sshd'), fault.kill('n3', 'dockerd')])
    const { code, json, stdout } = await delivery.ended
    assert.is(code, 3, stdout)
    assert.match(json.error.message, /^dg_9 did not reach n2/)
    const held = [await listHeld('n2'), await listHeld('n3')]
    assert.equal(held, [['dg_1'], ['dg_1', 'dg_9']], json.error.message)
    for (const node of ['n2', 'n3']) await fault.shape(node, {})
    const again = await fleet.run('deliver', 'dg_9')
    assert.is(again.code, 0, again.stdout)
    const [first, , third] = json.nodes as { bytes: number }[]
    // What its relay had brought, and then all of it directly.
    assert.ok(third!.bytes >= first!.bytes, `${third!.bytes} bytes`)
    assert.ok(again.json.bytesSent < first!.bytes, 'nothing of the first attempt was kept')
    assert.equal(await listHeld('n2'), ['dg_1', 'dg_9'])
    for (const { name } of fleet.lab.nodes) await exec(name, ['rm', '-rf', `${HOME}/dg_9`])
  },
)

test.run()

async function listHeld(node: string): Promise<string[]> {
  return (await fleet.lab.exec(node, ['sh', '-c', `ls ${HOME} | grep dg_`])).split('\n')
}

/** Part of dg_9 has arrived, but not all of it. */
async function checkUnderWay(node: string): Promise<void> {
  const size = await fleet.lab.exec(node, ['du', '--summarize', '--block-size=1', `${HOME}/.dg_9.partial`])
  assert.ok(Number.parseInt(size, 10) > 300_000, size)
}
