import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createLocalStack } from '../../../lib/adapters/local/stack.ts'
import { makeSpec } from '../../contracts/orchestrator.ts'
import { describeStack } from '../../contracts/stack.ts'
import { makeEngine, NODES, stopEngines } from '../../support/local-engine.ts'

test.after(stopEngines)

describeStack('the local stack', async () => {
  const { orchestrator } = makeEngine()
  return { orchestrator, stack: createLocalStack(orchestrator), nodes: NODES }
})

test('the order of nodes is content: it decides which node a task runs on', async () => {
  const stack = createLocalStack({ observe: async () => [] })
  const options = { signal: new AbortController().signal, deadlineMs: 1000 }
  const specs = [makeSpec({ nodes: ['a', 'b'] }), makeSpec({ nodes: ['b', 'a'] })]
  const [one, other] = await stack.render(specs, options)
  assert.not.equal(one?.content, other?.content)
})

test.run()
