import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isStep } from '../support/journal.ts'
import { createMoves, FAULTS_PROFILE } from './support/faults-profile.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'
import { openSwarmJournal, type SwarmJournal } from './support/swarm-journal.ts'
import { expectRepair, expectTruthAndRepair } from './support/verdict.ts'

const nextMove = createMoves()

let fleet: SwarmFleet
let journal: SwarmJournal

test.before(async () => {
  fleet = await startSwarmFleet({ profile: FAULTS_PROFILE })
  journal = openSwarmJournal(fleet.lab)
  for (const name of ['dg_1', 'dg_2', 'dg_3']) await fleet.makeGeneration(name)
  assert.is((await fleet.run('update-indices', 'dg_1')).code, 0)
})
test.after(async () => {
  await fleet.stop({ hasFailed: hasFailed() })
})

scenario('an update during which the only manager loses its power goes on once it is back', async () => {
  const move = nextMove()
  const update = fleet.start('update-indices', move.target)
  assert.ok(await journal.waitFor(update, isStep('load')))
  await fleet.lab.fault.powerOff('n1')
  await fleet.lab.fault.powerOn('n1')
  await expectTruthAndRepair(fleet, await update.ended, move)
})

scenario('without any manager no command hangs or claims to know, and the next one goes on', async () => {
  const { target, former } = nextMove()
  const update = fleet.start('update-indices', target)
  assert.ok(await journal.waitFor(update, isStep('load')))
  await fleet.lab.fault.powerOff('n1')
  const others = ['status', 'rollback', 'update-indices'].map((script) => fleet.run(script))
  const cutOff = await update.ended
  assert.is(cutOff.code, 21, cutOff.stdout)
  assert.match(cutOff.json.error.message, `going back from ${target} to ${former} was cut off`)
  assert.match(cutOff.json.error.message, 'the services cannot be asked what they hold')
  for (const { code, json, stdout } of await Promise.all(others)) {
    assert.is(code, 30, stdout)
    assert.match(json.error.message, 'no manager of the Swarm answers: n1: ')
    assert.match(json.error.hint, 'services run on without managers')
  }
  await fleet.lab.fault.powerOn('n1')
  await expectRepair(fleet, target)
})

test.run()
