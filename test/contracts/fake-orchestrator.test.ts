import { test } from 'uvu'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { FakeOrchestrator } from '../support/fakes/orchestrator.ts'
import { describeOrchestrator, FAILURES } from './orchestrator.ts'

const FAILING = new Set(Object.values(FAILURES).flatMap((settings) => Object.keys(settings)))

describeOrchestrator('the fake orchestrator', async () => {
  const orchestrator = new FakeOrchestrator()
  orchestrator.failOn = ({ settings }) => {
    const [words] = Object.entries(settings).flatMap(([key, value]) => (FAILING.has(key) ? [value] : []))
    return words === undefined ? undefined : new LongshoreError('remote', words)
  }
  return {
    orchestrator,
    nodes: ['node-1', 'node-2'],
    breakTask: async (task) => orchestrator.breakTasks(task.id.split('.')[0]!, 'it crashed'),
  }
})

test.run()
