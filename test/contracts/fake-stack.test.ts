import { test } from 'uvu'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { FakeOrchestrator } from '../support/fakes/orchestrator.ts'
import { createFakeStack } from '../support/fakes/stack.ts'
import { describeStack } from './stack.ts'

describeStack('the fake stack', async () => {
  const orchestrator = new FakeOrchestrator()
  orchestrator.failOn = ({ settings }) =>
    settings.STUB_CRASH === undefined ? undefined : new LongshoreError('remote', settings.STUB_CRASH)
  return { orchestrator, stack: createFakeStack(orchestrator), nodes: ['node-1', 'node-2'] }
})

test.run()
