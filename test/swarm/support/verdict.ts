import * as assert from 'uvu/assert'
import { eventually } from '../../support/eventually.ts'
import type { Run } from '../../support/fleet.ts'
import type { SwarmFleet } from './swarm-fleet.ts'

const CALM_MS = 180_000

export type Move = { readonly target: string; readonly former: string }

/** What {@link expectTruth} says, and that the same command again makes it good. */
export async function expectTruthAndRepair(fleet: SwarmFleet, run: Run, move: Move): Promise<void> {
  await expectTruth(fleet, run, move)
  await expectRepair(fleet, move.target)
}

/**
 * A command that a fault met may have come through, gone back or got stuck: it says so, and that is what the tasks
 * serve. A sound generation is never to blame.
 */
export async function expectTruth(fleet: SwarmFleet, run: Run, { target, former }: Move): Promise<void> {
  const said = `${run.code} ${run.stdout}\n${run.stderr}`
  assert.ok([0, 3, 21, 30].includes(run.code!), said)
  if (run.code === 0) await expectServed(fleet, target)
  if (run.code === 21) assert.match(run.json.error.message, /gateway holds dg_\d/, said)
  if (run.code === 30) {
    const isBack = run.json.error.message.includes(`${former} is serving`)
    assert.ok(isBack || run.json.error.hint.includes('again'), said)
    if (isBack) await expectServed(fleet, former)
  }
}

/** The same command ends with 0, possibly at a second try while nodes come back, and nothing is left to mend. */
export async function expectRepair(fleet: SwarmFleet, target: string): Promise<void> {
  await eventually(async () => {
    const again = await fleet.run('update-indices', target)
    assert.is(again.code, 0, `${again.stdout}\n${again.stderr}`)
  }, CALM_MS)
  await expectServed(fleet, target)
  await eventually(async () => {
    const { json } = await fleet.run('status')
    assert.is(json.serving.generation, target)
    assert.equal([json.drift, json.quarantined, json.run], [[], [], null])
  }, CALM_MS)
}

/** Every gateway task, and an index task of every cluster, has the generation: asked past the network. */
export async function expectServed(fleet: SwarmFleet, generation: string): Promise<void> {
  await eventually(async () => {
    const gateways = Object.values(await fleet.readServed('gateway'))
    assert.ok(gateways.length > 0)
    for (const served of gateways) assert.equal(served, [generation])
    for (const service of ['index_0', 'index_1']) {
      const tasks = Object.values(await fleet.readServed(service))
      assert.ok(
        tasks.some((held) => held.includes(generation)),
        `${service} lacks ${generation}`,
      )
    }
  }, CALM_MS)
}
