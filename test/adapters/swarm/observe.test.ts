import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { observeServices } from '../../../lib/adapters/swarm/observe.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { SwarmNode, SwarmService, SwarmTask } from '../../../lib/domain/swarm-inspect.ts'
import type { RemoteShell } from '../../../lib/ports/remote-shell.ts'

const signal = new AbortController().signal
const GENERATION = { name: 'dg_1', digest: 'sha256:1' }
const SPEC = { name: 'index_0', kind: 'index', cluster: 0, nodes: [], generations: [GENERATION] } as const
const SERVICE: SwarmService = {
  id: 's1',
  spec: { ...SPEC, replicas: 2, settings: {} },
  made: null,
  content: null,
  fence: 1,
  mark: '',
  update: null,
}
/** How long doctor waits for all that an engine tells of services, in milliseconds. */
const DOCTOR_MS = 13_000

test('a node that the Swarm says is down is asked nothing, though its task failed before one that starts', async () => {
  const nodes = [makeNode('n1'), makeNode('n2', true)]
  const lost = { nodeId: 'n2', desired: 'shutdown', state: 'failed', problem: 'node is down' }
  const { tasks, asked } = await observe(nodes, [
    makeTask(1, { nodeId: 'n1' }),
    makeTask(2, lost),
    makeTask(2, { nodeId: 'n1', state: 'starting', container: null }),
    makeTask(3, { nodeId: 'n2' }),
  ])
  assert.not(asked.has('n2'))
  assert.equal(
    tasks.map(({ node, state, isLost }) => [node, state, isLost]),
    [
      ['n1', 'ready', undefined],
      ['n1', 'starting', true],
      ['n2', 'failed', true],
    ],
  )
})

test('a node that says nothing is given up while doctor still waits, and others are told of', async () => {
  const { tasks, asked } = await observe(
    [makeNode('n1'), makeNode('n2')],
    [makeTask(1, { nodeId: 'n1' }), makeTask(2, { nodeId: 'n2' })],
  )
  assert.equal(
    tasks.map(({ node, state }) => [node, state]),
    [
      ['n1', 'ready'],
      ['n2', 'failed'],
    ],
  )
  assert.ok(asked.get('n2')! <= DOCTOR_MS * 0.75, `it is waited for ${asked.get('n2')} ms`)
})

test.run()

/** The tasks of one service, and how long each node that was asked may have kept its asker waiting in all. */
async function observe(nodes: readonly SwarmNode[], tasks: readonly SwarmTask[]) {
  const asked = new Map<string, number>()
  const shell: RemoteShell = {
    async run(node, _argv, { timeoutMs = Number.POSITIVE_INFINITY }) {
      asked.set(node, (asked.get(node) ?? 0) + timeoutMs)
      if (node === 'n2') throw new LongshoreError('remote', 'n2: docker did not end in time')
      return { code: 0, stdout: JSON.stringify({ generations: [GENERATION] }), stderr: '' }
    },
    close: async () => undefined,
  }
  const [state] = await observeServices({ services: [SERVICE], tasks, nodes }, shell, signal)
  return { tasks: state!.tasks, asked }
}

function makeNode(name: string, isDown = false): SwarmNode {
  return { id: name, name, isDown, labels: {}, gpus: 0 }
}

function makeTask(slot: number, members: Partial<SwarmTask>): SwarmTask {
  return {
    id: `t${slot}-${members.state ?? 'running'}`,
    serviceId: 's1',
    slot,
    mark: '',
    nodeId: 'n1',
    state: 'running',
    desired: 'running',
    problem: null,
    container: `c${slot}`,
    createdAt: '',
    ...members,
  }
}
