import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isStep } from '../support/journal.ts'
import { FAULTS_PROFILE } from './support/faults-profile.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'
import { openSwarmJournal } from './support/swarm-journal.ts'
import { expectTruthAndRepair } from './support/verdict.ts'

let fleet: SwarmFleet

test.before(async () => {
  fleet = await startSwarmFleet({
    managers: 3,
    profile: FAULTS_PROFILE,
  })
  for (const name of ['dg_1', 'dg_2']) await fleet.makeGeneration(name)
  assert.is((await fleet.run('update-indices', 'dg_1')).code, 0)
})
test.after(async () => {
  await fleet.stop({ hasFailed: hasFailed() })
})

scenario(
  'an update in whose midst the leader of three managers loses its power turns to another one',
  async () => {
    const update = fleet.start('update-indices', 'dg_2')
    assert.ok(await openSwarmJournal(fleet.lab).waitFor(update, isStep('load')))
    const leader = await findLeader()
    await fleet.lab.fault.powerOff(leader)
    // While it is away the others can be asked, and know what is going on.
    const { code, json, stdout } = await fleet.run('status')
    assert.is(code, 0, stdout)
    const lost = json.nodes.filter(({ reachable }: { reachable: boolean }) => !reachable)
    assert.equal(
      lost.map(({ name }: { name: string }) => name),
      [leader],
    )
    assert.is(json.run.target.name, 'dg_2')
    await fleet.lab.fault.powerOn(leader)
    await expectTruthAndRepair(fleet, await update.ended, { target: 'dg_2', former: 'dg_1' })
  },
)

test.run()

async function findLeader(): Promise<string> {
  const format = '{{.Hostname}} {{.ManagerStatus}}'
  const lines = (await fleet.lab.docker('n1', 'node', 'ls', '--format', format)).split('\n')
  return lines.find((line) => line.endsWith(' Leader'))!.split(' ')[0]!
}
