import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createManager } from '../../../lib/adapters/swarm/docker-client.ts'
import type { Engine } from '../../../lib/adapters/swarm/engine-parts.ts'
import { removeService } from '../../../lib/adapters/swarm/remove-services.ts'
import type { RemoteShell } from '../../../lib/ports/remote-shell.ts'
import { rejectsWith } from '../../support/errors.ts'
import { createRecordedShell } from './recorded-shell.ts'
import { makeSettings } from './swarm-engine.ts'

const NEVER = new AbortController().signal

test('a task whose node goes down while it should end is not waited for', async () => {
  const { engine, looks } = makeEngine({ downAtLook: 3 })
  await removeService(engine, 'index_0', NEVER)
  assert.is(looks(), 3)
})

test('tasks that do not end are told with their nodes, and not waited for without end', async () => {
  const { engine } = makeEngine({ downAtLook: Number.POSITIVE_INFINITY, graceSeconds: -60 })
  const removal = removeService(engine, 'index_0', NEVER)
  await rejectsWith(removal, 'remote', /tasks of removed services do not end on n\d/)
})

test.run()

/** An engine whose tasks never end, on nodes that are all down at the given look at them. */
function makeEngine({ downAtLook, graceSeconds = 1 }: { downAtLook: number; graceSeconds?: number }) {
  let looks = 0
  const up = createRecordedShell('running').shell
  const down = createRecordedShell('running', { edit: takeNodesDown }).shell
  const shell: RemoteShell = {
    async run(node, argv, options) {
      if (argv.join(' ').includes('docker node ls')) looks++
      return await (looks < downAtLook ? up : down).run(node, argv, options)
    },
    close: async () => undefined,
  }
  const settings = { ...makeSettings({ fleet: 'demo' }), graceSeconds }
  const engine: Engine = { shell, manager: createManager(shell, ['n1']), settings, readFence: async () => 1 }
  return { engine, looks: () => looks }
}

function takeNodesDown(recording: string): string {
  const { nodes, ...rest } = JSON.parse(recording)
  for (const node of nodes) node.Status.State = 'down'
  return JSON.stringify({ nodes, ...rest })
}
