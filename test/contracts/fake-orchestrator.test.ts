import { test } from 'uvu'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { FakeOrchestrator } from '../support/fakes/orchestrator.ts'
import { describeOrchestrator } from './orchestrator.ts'

describeOrchestrator('the fake orchestrator', async () => {
  const orchestrator = new FakeOrchestrator()
  orchestrator.failOn = ({ settings }) => {
    const [words] = Object.entries(settings).flatMap(([key, value]) =>
      key.startsWith('STUB_') ? [value] : [],
    )
    return words === undefined ? undefined : new LongshoreError('remote', words)
  }
  return {
    orchestrator,
    nodes: ['node-1', 'node-2'],
    breakTask: async (task) => orchestrator.breakTasks(task.id.split('.')[0]!, 'it crashed'),
  }
})

test.run()
