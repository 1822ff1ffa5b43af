import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { rollback } from '../../lib/flows/rollback.ts'
import { update } from '../../lib/flows/update.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

const SEVEN = makeManifest('dg_7')
const EIGHT = makeManifest('dg_8')
const NINE = makeManifest('dg_9')

async function makeServing(): Promise<FakeFleet> {
  const fleet = new FakeFleet([SEVEN])
  await update(fleet.context())
  fleet.generations.add(EIGHT)
  return fleet
}

/** Calls `strike` right after the n-th journal line from now, counted from 1; tells how many lines there were. */
function countLines(fleet: FakeFleet, n: number, strike: () => void): () => number {
  let lines = 0
  fleet.state.failOn = (what) => {
    if ('event' in what && ++lines === n) strike()
    return undefined
  }
  return () => lines
}

/** Runs `work` and lets its process die after the n-th line: from then on it can neither write nor change anything. */
async function killAfter(fleet: FakeFleet, n: number, work: () => Promise<unknown>): Promise<boolean> {
  const seen = countLines(fleet, n, () => fleet.state.abandon())
  await work().catch((error: unknown) => {
    if (!(error instanceof LongshoreError)) throw error
  })
  fleet.state.failOn = () => undefined
  return seen() >= n
}

function expectServing(fleet: FakeFleet, name: string): void {
  assert.equal(fleet.served(), [name])
  assert.is(fleet.state.record.run, null)
  assert.is(fleet.state.record.releases.at(-1)?.generation.name, name)
  for (const service of ['index_0', 'index_1']) assert.ok(fleet.holds(service).includes(name))
}

/** Does the same for every journal line of a command, each time on a fresh fleet, until the command outlives it. */
async function forEveryLine(check: (n: number) => Promise<boolean>): Promise<void> {
  let n = 1
  while (await check(n)) {
    n++
    assert.ok(n < 200, 'the command never comes to its end')
  }
  assert.ok(n > 5, `the journal has only ${n} lines`)
}

test('continues after a kill at every line of the journal', async () => {
  await forEveryLine(async (n) => {
    const fleet = await makeServing()
    const died = await killAfter(fleet, n, () => update(fleet.context()))
    await update(fleet.context())
    expectServing(fleet, 'dg_8')
    assert.equal(
      fleet.state.record.releases.map(({ generation }) => generation.name),
      ['dg_7', 'dg_8'],
    )
    assert.is((await update(fleet.context())).outcome, 'nothing-to-do')
    return died
  })
})

test('knows what to go back to when it fails after it was killed and continued', async () => {
  await forEveryLine(async (n) => {
    const fleet = await makeServing()
    const died = await killAfter(fleet, n, () => update(fleet.context()))
    if (!died || !fleet.state.record.run) return died
    fleet.orchestrator.breakTasks('gateway', 'canary failed')
    fleet.orchestrator.failOn = (spec) =>
      spec.kind === 'gateway' && spec.generations[0]?.name === 'dg_8'
        ? new LongshoreError('remote', 'canary failed')
        : undefined
    await raised('rolled-back', update(fleet.context()))
    expectServing(fleet, 'dg_7')
    return died
  })
})

test('ends up with the former generation after a kill at every line of a failing update', async () => {
  await forEveryLine(async (n) => {
    const fleet = await makeServing()
    fleet.orchestrator.failAsk = (_task, path) =>
      path.endsWith('dg_8') ? new LongshoreError('remote', 'wrong hits') : undefined
    const died = await killAfter(fleet, n, () => update(fleet.context()))
    const wasKnown = fleet.state.record.quarantined.length > 0
    await raised(wasKnown ? 'quarantined' : 'rolled-back', update(fleet.context()))
    expectServing(fleet, 'dg_7')
    assert.equal(fleet.holds('index_0'), ['dg_7'])
    assert.is(fleet.state.record.quarantined.length, 1)
    await raised('quarantined', update(fleet.context()))
    return died
  })
})

test('goes back first when another generation is asked for after a kill', async () => {
  await forEveryLine(async (n) => {
    const fleet = await makeServing()
    const died = await killAfter(fleet, n, () => update(fleet.context()))
    fleet.generations.add(NINE)
    await update(fleet.context())
    expectServing(fleet, 'dg_9')
    assert.equal(fleet.state.record.quarantined, [])
    return died
  })
})

test('undoes an update that was killed before its commit when a rollback is asked for', async () => {
  await forEveryLine(async (n) => {
    const fleet = await makeServing()
    const died = await killAfter(fleet, n, () => update(fleet.context()))
    const { run, releases } = fleet.state.record
    if (!run && releases.length < 2) return died
    await rollback(fleet.context())
    expectServing(fleet, 'dg_7')
    await raised('quarantined', update(fleet.context()))
    return died
  })
})

test('continues a rollback after a kill at every line', async () => {
  await forEveryLine(async (n) => {
    const fleet = await makeServing()
    await update(fleet.context())
    const died = await killAfter(fleet, n, () => rollback(fleet.context(), { to: 'dg_7' }))
    await rollback(fleet.context(), { to: 'dg_7' })
    expectServing(fleet, 'dg_7')
    assert.is(fleet.state.record.frozen?.generation.name, 'dg_8')
    return died
  })
})

test('does not let an unattended update take back a rollback that was killed', async () => {
  const fleet = await makeServing()
  await update(fleet.context())
  await killAfter(fleet, 2, () => rollback(fleet.context()))
  const { run } = fleet.state.record
  assert.is(run?.command, 'rollback')
  await raised('quarantined', update(fleet.context()))
  assert.equal(fleet.state.record.run, run)
})

test('leaves everything as it is on Ctrl-C, and continues', async () => {
  await forEveryLine(async (n) => {
    const fleet = await makeServing()
    const controller = new AbortController()
    const seen = countLines(fleet, n, () =>
      controller.abort(new LongshoreError('interrupted', 'interrupted')),
    )
    const run = update(fleet.context({ signal: controller.signal }))
    const error = await run.then(
      () => null,
      (reason: unknown) => reason as LongshoreError,
    )
    fleet.state.failOn = () => undefined
    if (error) {
      assert.is(error.kind, 'interrupted', error.stack ?? '')
      assert.is(error.answer.generation, 'dg_8')
      assert.ok(!fleet.state.entries.some(({ event }) => event === 'compensate-begin'))
    }
    assert.equal(fleet.state.record.quarantined, [])
    await update(fleet.context())
    expectServing(fleet, 'dg_8')
    return seen() >= n
  })
})

test('tells who holds the lock, and changes nothing', async () => {
  const fleet = await makeServing()
  await fleet.state.acquire({ owner: 'somebody@there 7', doing: 'update-indices dg_7' })
  const error = await raised('locked', update(fleet.context()))
  assert.match(error.message, 'somebody@there 7')
  assert.equal(fleet.served(), ['dg_7'])
})

test.run()
