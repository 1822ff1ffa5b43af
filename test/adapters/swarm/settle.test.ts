import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createManager } from '../../../lib/adapters/swarm/docker-client.ts'
import type { Engine } from '../../../lib/adapters/swarm/engine-parts.ts'
import { settle } from '../../../lib/adapters/swarm/settle.ts'
import type { MadeService } from '../../../lib/domain/made-service.ts'
import type { RemoteShell } from '../../../lib/ports/remote-shell.ts'
import { rejectsWith } from '../../support/errors.ts'
import { createRecordedShell } from './recorded-shell.ts'
import { makeSettings } from './swarm-engine.ts'

const NEVER = new AbortController().signal
/** A moment at which an update is completed but for a former task that is being stopped. */
const ENDING = 'completed'

test('an update is not given up at its deadline for a former task that is slow to end', async () => {
  const { engine, looks } = makeEngine(3)
  await settle(engine, { wanted: await readWanted(engine), known: new Set(), end: 0 }, NEVER)
  assert.is(looks(), 3)
})

test('a former task that does not end is not waited for without end', async () => {
  const { engine, looks } = makeEngine(Number.POSITIVE_INFINITY)
  const settings = { ...engine.settings, graceSeconds: -60 }
  const wanted = await readWanted(engine)
  const waiting = settle({ ...engine, settings }, { wanted, known: new Set(), end: 0 }, NEVER)
  await rejectsWith(waiting, 'remote', /1 former tasks of index_0 are ending/)
  assert.is(looks(), 1)
})

test.run()

/** An engine whose service has a former task that has ended at the given look. */
function makeEngine(endsAtLook: number): { engine: Engine; looks: () => number } {
  let looks = 0
  const ending = createRecordedShell(ENDING).shell
  const ended = createRecordedShell(ENDING, { edit: endFormerTasks }).shell
  const shell: RemoteShell = {
    async run(node, argv, options) {
      if (argv.includes('task')) looks++
      return await (looks < endsAtLook ? ending : ended).run(node, argv, options)
    },
    close: async () => undefined,
  }
  const manager = createManager(shell, ['n1'])
  const settings = makeSettings({ fleet: 'demo' })
  return { engine: { shell, manager, settings, readFence: async () => 1 }, looks: () => looks }
}

/** What the recorded service is made of, by its own labels. */
async function readWanted({ manager }: Engine): Promise<MadeService> {
  const [service] = JSON.parse(await manager.read(['service', 'inspect'], { signal: NEVER }))
  const { 'longshore.spec': spec, 'longshore.made': content } = service.Spec.Labels
  return { spec: JSON.parse(spec), content: JSON.parse(content) }
}

function endFormerTasks(recording: string): string {
  const { tasks, ...rest } = JSON.parse(recording)
  for (const task of tasks) if (task.DesiredState === 'shutdown') task.Status.State = 'shutdown'
  return JSON.stringify({ tasks, ...rest })
}
