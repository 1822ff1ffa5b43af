import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inspectServices } from '../../../lib/adapters/swarm/docker-argv.ts'
import { createManager } from '../../../lib/adapters/swarm/docker-client.ts'
import { createNodeLabels } from '../../../lib/adapters/swarm/node-labels.ts'
import { createSwarmOrchestrator } from '../../../lib/adapters/swarm/orchestrator.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { ServiceSpec } from '../../../lib/domain/service.ts'
import { describeOrchestrator, FAILURES, makeSpec } from '../../contracts/orchestrator.ts'
import { sideBySide } from '../../contracts/side-by-side.ts'
import { rejectsWith } from '../../support/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { createRecordedShell, type RecordedOptions } from './recorded-shell.ts'
import { AT_ONCE, hasSwarm, makeManager, makeSettings, NODES } from './swarm-engine.ts'

const NEVER = new AbortController().signal
const GENERATIONS = [
  { name: 'dg_1', digest: 'sha256:1' },
  { name: 'dg_2', digest: 'sha256:2' },
]
const OUT_OF_SEQUENCE = {
  code: 1,
  stdout: '',
  stderr: 'rpc error: code = Unknown desc = update out of sequence',
}

test('who lost the lock changes nothing, and says so', async () => {
  const { change, remove, changes } = makeRecorded({
    readFence: async () => {
      throw new LongshoreError('locked', 'the lock was lost')
    },
  })
  await rejectsWith(change(), 'locked', /the lock was lost/)
  await rejectsWith(remove(), 'locked', /the lock was lost/)
  assert.equal(listCommands(changes), [])
})

test('a service that was changed under a newer lock is left alone', async () => {
  const { change, changes } = makeRecorded({ readFence: async () => 2 })
  await rejectsWith(change(), 'locked', /newer lock \(3\)/)
  assert.equal(listCommands(changes), [])
})

test('a change that somebody else’s came before is looked at again, and written again', async () => {
  const deploys = [OUT_OF_SEQUENCE, OUT_OF_SEQUENCE]
  const { change, changes } = makeRecorded({ readFence: async () => 3, deploys })
  await rejectsWith(change(), 'remote', /changed by somebody else/)
  assert.ok(listCommands(changes).length >= 3, listCommands(changes).join('\n'))
})

test('the service carries the fence of the lock under which it was changed', async () => {
  const { change, changes } = makeRecorded({ readFence: async () => 7 })
  await change().catch(() => null)
  const stack = JSON.parse(changes.find(({ command }) => command.startsWith('stack deploy'))!.stdin)
  assert.is(stack.services.index_0.deploy.labels['longshore.fence'], '7')
})

test('an image that somebody changed by hand is not taken for unchanged by docker', async () => {
  const edit = (recording: string) => recording.replace(/("Image": *)"[^"]+"/g, '$1"longshore/by-hand:1"')
  const { change, changes } = makeRecorded({ readFence: async () => 7, edit })
  await change().catch(() => null)
  const [first, second] = listCommands(changes)
  assert.match(first ?? '', /^service update .*--label-rm com\.docker\.stack\.image /)
  assert.match(second ?? '', /^stack deploy /)
})

test('a node that is not in the Swarm is refused before anything is written', async () => {
  const { orchestrator, changes } = makeRecorded({ readFence: async () => 3 })
  const spec = makeSpec({ nodes: ['n1', 'n77'] })
  await rejectsWith(orchestrator.change(spec, { signal: NEVER, deadlineMs: 100 }), 'usage', /n77/)
  assert.equal(listCommands(changes), [])
})

if (hasSwarm()) {
  const register = sideBySide(AT_ONCE)
  describeOrchestrator(
    'the swarm orchestrator',
    async () => {
      const { orchestrator } = await makeReal()
      return {
        orchestrator,
        nodes: NODES,
        failureDeadlineMs: 15_000,
        breakTask: async (task) => {
          await orchestrator.ask(task, '/crash', NEVER).catch(() => null)
          await eventually(async () => {
            const services = await orchestrator.observe(NEVER)
            const states = services.flatMap(({ tasks }) => tasks.filter(({ id }) => id === task.id))
            assert.ok(states.every(({ state }) => state !== 'ready'))
          })
        },
      }
    },
    register,
  )

  register(
    'a change in whose middle somebody forces an update of the service ends as it was meant',
    async () => {
      const { orchestrator, manager, settings } = await makeReal()
      await orchestrator.change(makeSpec({ nodes: NODES }), { signal: NEVER, deadlineMs: 60_000 })
      const wanted = makeSpec(
        { nodes: NODES },
        { generations: GENERATIONS, settings: { STUB_READY_AFTER_MS: '3000' } },
      )
      const changing = orchestrator.change(wanted, { signal: NEVER, deadlineMs: 60_000 })
      const name = `${settings.fleet}_index_0`
      await eventually(async () =>
        assert.match(await manager.read(inspectServices([name]), { signal: NEVER }), /"updating"/),
      )
      await manager.read(['service', 'update', '--force', '--detach', name], { signal: NEVER })
      await changing
      const [service] = await orchestrator.observe(NEVER)
      assert.equal(service?.spec, wanted)
      assert.equal(
        service?.tasks.map(({ state, generations }) => [state, generations]),
        [['ready', GENERATIONS]],
      )
      await orchestrator.shutDown(NEVER)
    },
  )

  register('shutting down one fleet leaves another one alone', async () => {
    const [one, other] = [await makeReal(), await makeReal()]
    const options = { signal: NEVER, deadlineMs: 60_000 }
    for (const { orchestrator } of [one, other])
      await orchestrator.change(makeSpec({ nodes: NODES }), options)
    await one.orchestrator.shutDown(NEVER)
    assert.equal(await one.orchestrator.observe(NEVER), [])
    assert.is((await other.orchestrator.observe(NEVER)).length, 1)
    await other.orchestrator.shutDown(NEVER)
  })

  // Alone: whenever a node's labels change, the Swarm ends the tasks there that their service's spec could not place.
  test('a task that no node may run is told in the words of the scheduler, and the former spec stands', async () => {
    const { orchestrator } = await makeReal()
    await orchestrator.change(makeSpec({ nodes: NODES }), { signal: NEVER, deadlineMs: 60_000 })
    const before = await orchestrator.observe(NEVER)
    const nowhere = makeSpec({ nodes: NODES }, { generations: [{ name: 'dg_9', digest: 'sha256:9' }] })
    await rejectsWith(
      orchestrator.change(nowhere, { signal: NEVER, deadlineMs: 4000 }),
      'remote',
      /no suitable node \(scheduling constraints/,
    )
    assert.equal(await orchestrator.observe(NEVER), before)
    await orchestrator.shutDown(NEVER)
  })
}

async function makeReal() {
  const settings = makeSettings()
  const { shell, manager } = makeManager()
  const labels = createNodeLabels(manager, { fleet: settings.fleet })
  for (const node of NODES) for (const one of GENERATIONS) await labels.mark(node, one, NEVER)
  const orchestrator = createSwarmOrchestrator({ shell, manager, settings, readFence: async () => 0 })
  return { orchestrator, manager, settings }
}

type Recorded = RecordedOptions & { readonly readFence: () => Promise<number> }

/** An orchestrator over a Swarm that stands still: index_0 was made under fence 3 and runs. */
function makeRecorded({ readFence, ...options }: Recorded) {
  const { shell, changes } = createRecordedShell('running', options)
  const settings = makeSettings({ fleet: 'demo' })
  const manager = createManager(shell, ['n1'])
  const orchestrator = createSwarmOrchestrator({ shell, manager, settings, readFence })
  const bad: ServiceSpec = makeSpec({ nodes: NODES }, { settings: FAILURES.crash })
  return {
    orchestrator,
    changes,
    change: () => orchestrator.change(bad, { signal: NEVER, deadlineMs: 100 }),
    remove: () => orchestrator.remove('index_0', NEVER),
  }
}

/** Commands that change services; labels of nodes aside. */
function listCommands(changes: readonly { readonly command: string }[]): string[] {
  return changes.map(({ command }) => command).filter((command) => !command.startsWith('node update'))
}

test.run()
