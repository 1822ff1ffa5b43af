import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ServiceState } from '../../lib/domain/service.ts'
import { down } from '../../lib/flows/down.ts'
import { status } from '../../lib/flows/status.ts'
import { update } from '../../lib/flows/update.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { makeManifest } from '../support/fakes/manifest.ts'

async function makeServing(): Promise<FakeFleet> {
  const fleet = new FakeFleet([])
  for (const name of ['dg_7', 'dg_8']) {
    fleet.generations.add(makeManifest(name))
    await update(fleet.context())
  }
  return fleet
}

const driftOf = async (fleet: FakeFleet) => (await status(fleet.context())).json.drift as string[]

test('tells of a fleet on which nothing was ever started', async () => {
  const { json, text } = await status(new FakeFleet([]).context())
  assert.is(json.serving, null)
  assert.is(json.previous, null)
  assert.equal(json.services, [])
  assert.equal(json.drift, [])
  assert.match(text, /serving +nothing/)
})

test('tells what is served, what was before, and where', async () => {
  const fleet = await makeServing()
  const { json, text } = await status(fleet.context())
  const { digest } = makeManifest('dg_8')
  assert.equal(json.serving, { generation: 'dg_8', digest })
  assert.is(json.previous, 'dg_7')
  assert.equal(json.gateway, { url: 'http://127.0.0.1:0' })
  assert.equal(json.drift, [])
  const nodes = json.nodes as { name: string; reachable: boolean; generations: { name: string }[] }[]
  assert.equal(
    nodes.map(({ name, generations }) => [name, ...generations.map((held) => held.name)]),
    [
      ['node-1', 'dg_7', 'dg_8'],
      ['node-2', 'dg_7', 'dg_8'],
    ],
  )
  assert.match(text, /index_1 +index_1\.\d+ +node-2 +ready +dg_7, dg_8/)
})

test('names, in a Swarm, a node that publishes the gateway', async () => {
  const fleet = await makeServing()
  const swarm = { ...fleet.profile.swarm, managers: ['node-1'], image: 'longshore:1' }
  const nodes = fleet.profile.nodes.map((node) => ({ ...node, host: `${node.name}.example` }))
  const profile = { ...fleet.profile, engine: 'swarm' as const, nodes, swarm }
  const { json } = await status(fleet.context({ profile }))
  const [task] = fleet.orchestrator.services.get('gateway')?.tasks ?? []
  assert.equal(json.gateway, { url: `http://${task?.node}.example:0` })
})

test('changes nothing and needs no lock', async () => {
  const fleet = await makeServing()
  const { record, entries } = fleet.state
  const lines = entries.length
  await fleet.state.acquire({ owner: 'somebody else', doing: 'update-indices' })
  await status(fleet.context())
  assert.is(fleet.state.record, record)
  assert.is(fleet.state.entries.length, lines)
})

const drifts: [string, RegExp, (fleet: FakeFleet) => unknown][] = [
  ['a task that fails', /it crashed/, ({ orchestrator }) => orchestrator.breakTasks('index_0', 'it crashed')],
  [
    'a node that lost a generation',
    /node-1 does not hold dg_8/,
    ({ transport }) => transport.node('node-1').held.delete('dg_8'),
  ],
  [
    'a node that is gone',
    /node-2 cannot be reached/,
    ({ transport }) => Object.assign(transport.node('node-2'), { reachable: false }),
  ],
  ['a missing gateway', /no gateway runs/, ({ orchestrator }) => orchestrator.services.delete('gateway')],
  [
    'an unfinished run',
    /update to dg_9, begun .* is unfinished/,
    ({ state }) => {
      const target = { name: 'dg_9', digest: 'sha256:9' }
      const run = { id: 'x', command: 'update', target, former: null, phase: 'forward' } as const
      state.record = { ...state.record, run: { ...run, reason: null, startedAt: 'then', owner: 'me' } }
    },
  ],
  [
    'a gateway that routes by something else than the last release',
    /routes by dg_7, but the last release is dg_8/,
    ({ orchestrator }) => {
      const { spec } = orchestrator.services.get('gateway') as ServiceState
      const { digest } = makeManifest('dg_7')
      orchestrator.run({ ...spec, generations: [{ name: 'dg_7', digest }] })
    },
  ],
  [
    'two gateways that route by different generations',
    /different generations: dg_8 and dg_7/,
    ({ orchestrator }) => {
      const gateway = orchestrator.services.get('gateway') as ServiceState
      const { digest } = makeManifest('dg_7')
      const other = { ...gateway.tasks[0]!, id: 'gateway.other', generations: [{ name: 'dg_7', digest }] }
      orchestrator.services.set('gateway', { ...gateway, tasks: [...gateway.tasks, other] })
    },
  ],
]
for (const [what, sentence, bend] of drifts) {
  test(`tells of ${what} as drift`, async () => {
    const fleet = await makeServing()
    bend(fleet)
    assert.match((await driftOf(fleet)).join('\n'), sentence)
  })
}

test('stops everything once, forgets an unfinished run, and can be started again', async () => {
  const fleet = await makeServing()
  const target = { name: 'dg_9', digest: 'sha256:9' }
  const run = { id: 'x', command: 'update', target, former: null, phase: 'forward' } as const
  fleet.state.record = { ...fleet.state.record, run: { ...run, reason: null, startedAt: '', owner: '' } }
  const answer = await down(fleet.context())
  assert.is(answer.outcome, 'done')
  assert.is(fleet.orchestrator.services.size, 0)
  assert.is(fleet.state.record.run, null)
  assert.is((await down(fleet.context())).outcome, 'nothing-to-do')
  assert.is((await update(fleet.context())).outcome, 'done')
  assert.equal(fleet.served(), ['dg_8'])
  assert.equal(fleet.holds('index_0'), ['dg_7', 'dg_8'])
  assert.is(fleet.state.record.releases.length, 2)
})

test.run()
