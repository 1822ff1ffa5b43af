import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createManager } from '../../../lib/adapters/swarm/docker-client.ts'
import { createNodeLabels } from '../../../lib/adapters/swarm/node-labels.ts'
import { createSwarmOrchestrator } from '../../../lib/adapters/swarm/orchestrator.ts'
import { createSwarmStack } from '../../../lib/adapters/swarm/stack.ts'
import { findDifferences } from '../../../lib/domain/content-difference.ts'
import { makeSpec } from '../../contracts/orchestrator.ts'
import { sideBySide } from '../../contracts/side-by-side.ts'
import { describeStack } from '../../contracts/stack.ts'
import { rejectsWith } from '../../support/errors.ts'
import { createRecordedShell } from './recorded-shell.ts'
import { AT_ONCE, hasSwarm, makeManager, makeSettings, NODES } from './swarm-engine.ts'

const OPTIONS = { signal: new AbortController().signal, deadlineMs: 20_000 }

test('finds in a running service what its spec is rendered to, but for a member of the fleet that came since', async () => {
  const { stack, changes } = makeRecorded()
  const found = await stack.observe(OPTIONS)
  const rendered = await stack.render(
    found.map(({ spec }) => spec),
    OPTIONS,
  )
  const differences = rendered.flatMap(({ content }, at) => findDifferences(found[at]?.content, content))
  assert.equal(differences, [
    { path: 'deploy.placement.constraints', from: undefined, to: 'node.hostname!=n3' },
  ])
  assert.equal(changes, [])
})

test('refuses to render for a node that is not in the Swarm', async () => {
  const { stack } = makeRecorded()
  await rejectsWith(stack.render([makeSpec({ nodes: ['n1', 'n77'] })], OPTIONS), 'usage', /n77/)
})

if (hasSwarm()) {
  describeStack(
    'the swarm stack',
    async () => {
      const settings = makeSettings()
      const { shell, manager } = makeManager()
      const labels = createNodeLabels(manager, { fleet: settings.fleet })
      for (const node of NODES) await labels.mark(node, { name: 'dg_1', digest: 'sha256:1' }, OPTIONS.signal)
      const orchestrator = createSwarmOrchestrator({ shell, manager, settings, readFence: async () => 0 })
      const stack = createSwarmStack({ manager, settings })
      return { orchestrator, stack, nodes: NODES, failureDeadlineMs: 15_000 }
    },
    sideBySide(AT_ONCE),
  )
}

/** The stack of a Swarm that stands still, with one service that runs. */
function makeRecorded() {
  const { shell, changes } = createRecordedShell('running')
  const settings = makeSettings({ fleet: 'demo' })
  return { stack: createSwarmStack({ manager: createManager(shell, ['n1']), settings }), changes }
}

test.run()
