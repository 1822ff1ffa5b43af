import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { JournalEntry } from '../../lib/domain/record.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'
import { openSwarmJournal, type SwarmJournal } from './support/swarm-journal.ts'
import { expectRepair } from './support/verdict.ts'

/** Every kind of line that an update writes, in their order. */
const LINES = [
  'run-begin',
  ...['deliver', 'load', 'check', 'switch', 'soak', 'commit', 'retire', 'remove'].flatMap((action) => [
    `step-begin ${action}`,
    `step-done ${action}`,
  ]),
  'run-end',
]
/** Newer than all others: it has to be delivered, and nodes let go what is older. */
const FRESH = 'dg_3'

let fleet: SwarmFleet
let journal: SwarmJournal

test.before(async () => {
  fleet = await startSwarmFleet({
    profile: {
      gateway: { replicas: 1 },
      index: { replicas: 1 },
      update: { deadlineSeconds: 60, leaseSeconds: 5, keep: 0 },
    },
  })
  journal = openSwarmJournal(fleet.lab)
  for (const name of ['dg_1', 'dg_2', FRESH]) await fleet.makeGeneration(name)
  for (const name of ['dg_1', 'dg_2']) await serve(name)
})
test.after(async () => {
  await fleet.stop({ hasFailed: hasFailed() })
})

scenario('an update goes on after kill -9 at every line of its journal, and ends right', async () => {
  const load = fleet.load({ clients: 2, perSecond: 40 })
  let kills = 0
  for (const place of LINES.keys()) if (await killAt(place)) kills++
  await expectRepair(fleet, FRESH)
  const { failures, mixed } = await load.stop()
  assert.equal([failures, mixed], [[], []])
  assert.ok(kills > LINES.length / 2, `only ${kills} of ${LINES.length} lines were met`)
})

test.run()

async function serve(generation: string): Promise<void> {
  const { code, stdout, stderr } = await fleet.run('update-indices', generation)
  assert.is(code, 0, `${stdout}\n${stderr}`)
}

/** Starts the update and kills it once it has written this line or one that comes after; false when it ended, and well. */
async function killAt(place: number): Promise<boolean> {
  const update = fleet.start('update-indices', FRESH)
  if (await journal.waitFor(update, (entry) => placeOf(entry) >= place)) update.kill('SIGKILL')
  const { code, stdout } = await update.ended
  if (code === undefined) return true
  assert.is(code, 0, `${LINES[place]}: ${stdout}`)
  return false
}

/** Where in the order of lines one stands; -1 for others. */
function placeOf({ event, detail }: JournalEntry): number {
  return LINES.findIndex((line) => {
    const [kind, action = ''] = line.split(' ')
    return event === kind && detail.includes(action)
  })
}
