import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { type RunningScript, startScript } from '../support/fleet.ts'
import { isStep } from '../support/journal.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { FLEET, type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'
import { openSwarmJournal, type SwarmJournal } from './support/swarm-journal.ts'
import { expectServed, expectTruthAndRepair } from './support/verdict.ts'

/** A host name and processes of its own, as on a colleague's machine. */
const ELSEWHERE = [
  ...['unshare', '--uts', '--pid', '--fork', '--mount-proc', '--kill-child'],
  ...['sh', '-c', 'hostname colleague && exec "$@"', 'sh'],
]

let fleet: SwarmFleet
let journal: SwarmJournal
let served = 0

test.before(async () => {
  fleet = await startSwarmFleet({
    profile: {
      gateway: { replicas: 1 },
      index: { replicas: 1 },
      update: { deadlineSeconds: 60, leaseSeconds: 5, keep: 0 },
    },
  })
  journal = openSwarmJournal(fleet.lab)
  for (const name of ['dg_1', 'dg_2', 'dg_3']) await fleet.makeGeneration(name)
  assert.is((await fleet.run('update-indices', nextCold())).code, 0)
})
test.after(async () => {
  await fleet.stop({ hasFailed: hasFailed() })
})

const UPDATE = ['update', '--detach']
const INTRUSIONS = [
  {
    what: 'forces an update of one service and adds a variable to another',
    step: 'load',
    acts: [
      [...UPDATE, '--force', `${FLEET}_index_0`],
      [...UPDATE, '--env-add', 'A=1', `${FLEET}_index_1`],
    ],
  },
  { what: 'rolls a service back', step: 'load', acts: [[...UPDATE, '--rollback', `${FLEET}_index_0`]] },
  { what: 'removes an index service', step: 'soak', acts: [['rm', `${FLEET}_index_1`]] },
]

for (const { what, step, acts } of INTRUSIONS) {
  scenario(`an update in whose midst somebody ${what} ends in one generation, and says which`, async () => {
    const former = `dg_${served}`
    const target = nextCold()
    // Long enough for the intruder to come within it.
    await fleet.configure({ update: { soakSeconds: step === 'soak' ? 6 : 1 } })
    const update = fleet.start('update-indices', target)
    assert.ok(await journal.waitFor(update, isStep(step)))
    // The Swarm refuses a change that another one comes before.
    for (const act of acts) await eventually(() => fleet.lab.docker('n1', 'service', ...act), 60_000)
    await expectTruthAndRepair(fleet, await update.ended, { target, former })
  })
}

scenario(
  'a colleague is told who works, since when and on what, and takes over from whoever hangs',
  async () => {
    const [target, other] = [nextCold(), nextCold()]
    await fleet.configure()
    const first = fleet.start('update-indices', target)
    assert.ok(await journal.waitFor(first, isStep('load')))
    const { code, json, stdout } = await startElsewhere('update-indices', target).ended
    assert.is(code, 11, stdout)
    assert.match(
      json.error.message,
      new RegExp(`${first.pid} since \\d{4}-\\d\\d-\\d\\dT.*: update-indices ${target}`),
    )

    first.kill('SIGSTOP')
    await eventually(async () => {
      const { code, stdout, stderr } = await startElsewhere('update-indices', other).ended
      assert.is(code, 0, `${stdout}\n${stderr}`)
    }, 180_000)
    const standing = await readVersions()
    first.kill('SIGCONT')
    const woken = await first.ended
    assert.is(woken.code, 11, woken.stdout)
    assert.match(woken.json.error.message, 'the lock was lost')
    assert.equal(await readVersions(), standing)
    await expectServed(fleet, other)
  },
)

test.run()

/** Of three generations the one that no service holds: only the one in service and the one before it stay loaded. */
function nextCold(): string {
  served = (served % 3) + 1
  return `dg_${served}`
}

function startElsewhere(script: string, generation: string): RunningScript {
  return startScript(script, [generation, '--profile', fleet.profile, '--yes', '--json'], {
    cwd: fleet.directory,
    timeoutMs: 240_000,
    through: ELSEWHERE,
  })
}

/** The number of changes that each service has seen. */
async function readVersions(): Promise<string> {
  const names = await fleet.lab.docker('n1', 'service', 'ls', '--quiet')
  const format = '{{.Spec.Name}} {{.Version.Index}}'
  return await fleet.lab.docker('n1', 'service', 'inspect', '--format', format, ...names.split('\n'))
}
