import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createManager } from '../../../lib/adapters/swarm/docker-client.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { RemoteShell, RunResult } from '../../../lib/ports/remote-shell.ts'
import { rejectsWith } from '../../support/errors.ts'

const signal = new AbortController().signal
const DONE: RunResult = { code: 0, stdout: 'done', stderr: '' }
const NO_MANAGER: RunResult = {
  code: 1,
  stdout: '',
  stderr:
    "Error response from daemon: This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state.",
}
const NO_LEADER: RunResult = {
  code: 1,
  stdout: '',
  stderr:
    "Error response from daemon: rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online.",
}

test('asks the next manager when one cannot be reached, is none, or knows no leader', async () => {
  const { shell, asked } = makeShell({ a: lost('a'), b: NO_MANAGER, c: NO_LEADER, d: DONE })
  const manager = createManager(shell, ['a', 'b', 'c', 'd'])
  assert.is(await manager.read(['node', 'ls'], { signal }), 'done')
  assert.equal(asked, ['a', 'b', 'c', 'd'])
})

test('stays with the manager that answered', async () => {
  const { shell, asked } = makeShell({ a: lost('a'), b: DONE })
  const manager = createManager(shell, ['a', 'b'])
  await manager.read(['node', 'ls'], { signal })
  await manager.read(['node', 'ls'], { signal })
  assert.equal(asked, ['a', 'b', 'b'])
})

test('asks again while the Swarm elects a leader', async () => {
  const answers = [NO_LEADER, NO_LEADER, DONE]
  const { shell, asked } = makeShell({ a: () => answers.shift()! })
  await createManager(shell, ['a']).read(['node', 'ls'], { signal })
  assert.is(asked.length, 3)
})

test('tells of every manager why it cannot answer', async () => {
  const { shell } = makeShell({ a: lost('a'), b: NO_MANAGER })
  const work = createManager(shell, ['a', 'b']).read(['node', 'ls'], { signal, patienceMs: 0 })
  await rejectsWith(work, 'remote', /a cannot be reached; b: .*not a swarm manager/)
})

test('waits for silent managers once, not with every command, until one answers again', async () => {
  let isBack = false
  const answer = () => {
    if (isBack) return DONE
    throw new LongshoreError('remote', 'a cannot be reached')
  }
  const { shell, asked } = makeShell({ a: answer })
  const manager = createManager(shell, ['a'])
  const options = { signal, patienceMs: 600 }
  await rejectsWith(manager.read(['node', 'ls'], options), 'remote')
  const before = asked.length
  await rejectsWith(manager.read(['node', 'ls'], options), 'remote')
  assert.is(asked.length, before + 1)
  isBack = true
  assert.is(await manager.read(['node', 'ls'], { signal }), 'done')
})

test('hands out a failure that every manager would have, in the words of docker', async () => {
  const { shell, asked } = makeShell({
    a: { code: 1, stdout: '', stderr: 'Error: no such service: x\n' },
    b: DONE,
  })
  const manager = createManager(shell, ['a', 'b'])
  assert.is((await manager.run(['service', 'rm', 'x'], { signal })).code, 1)
  await rejectsWith(
    manager.read(['service', 'rm', 'x'], { signal }),
    'remote',
    /docker service rm: .*no such/,
  )
  assert.equal(asked, ['a', 'a'])
})

test('ends when it is interrupted', async () => {
  const { shell } = makeShell({ a: NO_LEADER })
  const interrupted = AbortSignal.abort(new LongshoreError('interrupted', 'interrupted'))
  await rejectsWith(createManager(shell, ['a']).read(['node', 'ls'], { signal: interrupted }), 'interrupted')
})

type Answer = RunResult | (() => RunResult)

function makeShell(answers: Readonly<Record<string, Answer>>) {
  const asked: string[] = []
  const shell: RemoteShell = {
    async run(node) {
      asked.push(node)
      const answer = answers[node]!
      return typeof answer === 'function' ? answer() : answer
    },
    close: async () => undefined,
  }
  return { shell, asked }
}

function lost(node: string): () => RunResult {
  return () => {
    throw new LongshoreError('remote', `${node} cannot be reached`)
  }
}

test.run()
