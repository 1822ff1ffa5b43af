import * as assert from 'uvu/assert'
import type { Run } from '../../support/fleet.ts'
import type { SwarmFleet } from './swarm-fleet.ts'

/** What every task of a fleet serves, and the generation that stays loaded beside it. */
export type Standing = { readonly serving: string; readonly beside?: string }

/** Runs a script and expects how it ends, and what every task then serves. */
export async function expectRun(
  fleet: SwarmFleet,
  [script, ...args]: readonly [string, ...string[]],
  { code, ...standing }: Standing & { readonly code: number },
): Promise<Run> {
  const run = await fleet.run(script, ...args)
  assert.is(run.code, code, `${script} ${args.join(' ')}: ${run.stdout}\n${run.stderr}`)
  await expectServed(fleet, standing)
  return run
}

/** Asks every task itself: gateways route by one generation, and index services hold it and the one beside it. */
export async function expectServed(fleet: SwarmFleet, { serving, beside }: Standing): Promise<void> {
  const held = beside === undefined ? [serving] : [beside, serving].sort()
  await expectTasks(fleet, 'gateway', [serving])
  for (const cluster of fleet.clusters) await expectTasks(fleet, `index_${cluster}`, held)
}

async function expectTasks(
  fleet: SwarmFleet,
  service: string,
  generations: readonly string[],
): Promise<void> {
  const served = await fleet.readServed(service)
  assert.ok(Object.keys(served).length > 0, `no task of ${service} runs`)
  for (const [task, found] of Object.entries(served)) assert.equal(found, generations, `${service}, ${task}`)
}
