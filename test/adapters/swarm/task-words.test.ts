import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readWords } from '../../../lib/adapters/swarm/task-words.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { SwarmTask } from '../../../lib/domain/swarm-inspect.ts'
import type { RemoteShell } from '../../../lib/ports/remote-shell.ts'

const signal = new AbortController().signal
const TASK: SwarmTask = {
  id: 't1',
  serviceId: 's1',
  slot: 1,
  mark: '',
  nodeId: 'node1',
  state: 'failed',
  desired: 'shutdown',
  problem: 'task: non-zero exit',
  container: 'c1',
  createdAt: '',
}
const EXITED = { Status: 'exited', ExitCode: 1, OOMKilled: false, Error: '' }
const REFUSED = {
  ExitCode: 1,
  Output: '{"status":503,"body":"{\\"error\\":{\\"message\\":\\"upside down\\"}}"}',
}

test('a task that ended by itself is told in its last words', async () => {
  assert.equal(await read(EXITED), { text: 'task: non-zero exit: Error: no such shard' })
})

test('a task whose health check failed is told in what it answered, though it had to be killed', async () => {
  const words = await read({ ...EXITED, ExitCode: 137, Health: { Log: [REFUSED] } })
  assert.equal(words, { text: 'task: non-zero exit: upside down' })
})

test('a task that took too much memory has itself to blame', async () => {
  assert.is((await read({ ...EXITED, ExitCode: 137, OOMKilled: true })).blame, undefined)
})

test('a task that was killed from outside, as by an engine that starts anew, is lost with what it ran on', async () => {
  for (const ExitCode of [137, 255]) {
    const { text, blame } = await read({ ...EXITED, ExitCode })
    assert.match(text, /killed from outside/)
    assert.is(blame, 'fleet')
  }
})

test('a task that was told to end by somebody else is lost with what it ran on, and not where its health had failed', async () => {
  const { text, blame } = await read({ ...EXITED, ExitCode: 0 })
  assert.match(text, /told to end from outside/)
  assert.is(blame, 'fleet')
  assert.is((await read({ ...EXITED, ExitCode: 0, Health: { Log: [REFUSED] } })).blame, undefined)
})

test('a task that its engine could not start is told in the words of the engine, and lost', async () => {
  const state = { ...EXITED, Status: 'created', ExitCode: 128, Error: 'network abc not found' }
  const { text, blame } = await read(state)
  assert.match(text, /could not run it: network abc not found/)
  assert.is(blame, 'fleet')
})

test('a task that never had a container is lost', async () => {
  const words = await readWords(
    { ...TASK, container: null, problem: 'No such image: x' },
    place(EXITED),
    signal,
  )
  assert.equal(words, { text: 'No such image: x', blame: 'fleet' })
})

test('a task on a node that cannot be asked is lost', async () => {
  const shell: RemoteShell = {
    run: async () => {
      throw new LongshoreError('remote', 'n2 was lost')
    },
    close: async () => undefined,
  }
  const { text, blame } = await readWords(TASK, { shell, node: 'n2' }, signal)
  assert.match(text, /cannot be asked: n2 was lost/)
  assert.is(blame, 'fleet')
})

test.run()

function read(state: object) {
  return readWords(TASK, place(state), signal)
}

/** A node whose engine tells this of the container. */
function place(state: object) {
  const shell: RemoteShell = {
    run: async (_node, [, command]) => ({
      code: 0,
      stdout: command === 'inspect' ? JSON.stringify(state) : 'started\nError: no such shard\n',
      stderr: '',
    }),
    close: async () => undefined,
  }
  return { shell, node: 'n2' }
}
