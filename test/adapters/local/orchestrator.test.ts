import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { locateSocket } from '../../../lib/adapters/local/agent-protocol.ts'
import type { ServiceSpec, Task } from '../../../lib/domain/service.ts'
import { describeOrchestrator, FAILURES, makeSpec } from '../../contracts/orchestrator.ts'
import { rejectsWith } from '../../support/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { findFreePort } from '../../support/free-port.ts'
import { makeEngine, NODES, stopEngines } from '../../support/local-engine.ts'
import { ROOT } from '../../support/shared.ts'

const NEVER = new AbortController().signal
const DEADLINE = { signal: NEVER, deadlineMs: 20_000 }
const DG_2 = { name: 'dg_2', digest: 'sha256:2' }

test.after(stopEngines)

describeOrchestrator('the local orchestrator', async () => {
  const { orchestrator, askPid } = makeEngine()
  return {
    orchestrator,
    nodes: NODES,
    breakTask: async (task) => {
      const pid = await askPid(task)
      await orchestrator.ask(task, '/crash', NEVER).catch(() => null)
      await eventually(async () => assert.is.not(await askPid(task).catch(() => null), pid))
    },
  }
})

test('the agent outlives the command that started it', async () => {
  const { state, orchestrator } = makeEngine()
  await promisify(execFile)(process.execPath, [
    `${ROOT}test/support/change-service.ts`,
    state,
    JSON.stringify(index()),
  ])
  assert.equal(await listStates(orchestrator), ['ready'])
})

test('a change goes on when its command is killed, and the same change again ends right', async () => {
  const { state, orchestrator } = makeEngine()
  await orchestrator.change(index(), DEADLINE)
  const slow = index({ generations: [DG_2], settings: { STUB_READY_AFTER_MS: '1000' } })
  const command = execFile(process.execPath, [
    `${ROOT}test/support/change-service.ts`,
    state,
    JSON.stringify(slow),
  ])
  await eventually(async () => assert.is((await listStates(orchestrator)).length, 2))
  command.kill('SIGKILL')
  await orchestrator.change(slow, DEADLINE)
  const [service] = await orchestrator.observe(NEVER)
  assert.equal(service?.spec, slow)
  assert.is(service?.tasks.length, 1)
})

test('a killed command leaves the former spec when its change fails later', async () => {
  const { state, orchestrator } = makeEngine()
  await orchestrator.change(index(), DEADLINE)
  const bad = index({ settings: FAILURES.neverReady })
  const command = execFile(process.execPath, [
    `${ROOT}test/support/change-service.ts`,
    state,
    JSON.stringify(bad),
    '1000',
  ])
  await eventually(async () => assert.is((await listStates(orchestrator)).length, 2))
  command.kill('SIGKILL')
  await eventually(async () => assert.equal(await listStates(orchestrator), ['ready']))
  assert.equal((await orchestrator.observe(NEVER))[0]?.spec, index())
})

test('a crashed task comes back by itself, and is not listed meanwhile', async () => {
  const { orchestrator, askPid, readEndpoints } = makeEngine()
  await orchestrator.change(index(), DEADLINE)
  const [task] = await listTasks(orchestrator)
  const before = { pid: await askPid(task!), urls: readEndpoints().index_0 }
  await orchestrator.ask(task!, '/crash', NEVER).catch(() => null)
  await eventually(async () => assert.is.not(await askPid(task!), before.pid))
  await eventually(() => {
    assert.is(readEndpoints().index_0?.length, 1)
    assert.not.equal(readEndpoints().index_0, before.urls)
  })
})

test('a task that crashes again and again tells its last words', async () => {
  const { orchestrator } = makeEngine()
  await orchestrator.change(index(), DEADLINE)
  const [task] = await listTasks(orchestrator)
  await orchestrator.ask(task!, '/crash-for-good', NEVER).catch(() => null)
  await eventually(async () => {
    const [found] = await listTasks(orchestrator)
    assert.is(found?.state, 'failed')
    assert.match(found?.problem ?? '', /exit code 1: Error: crashed for good/)
  })
  await rejectsWith(orchestrator.change(index(), DEADLINE), 'remote', /for good/)
})

test('a ready task that stops being ready is neither listed nor told to be ready', async () => {
  const { orchestrator, readEndpoints } = makeEngine()
  await orchestrator.change(index(), DEADLINE)
  const [task] = await listTasks(orchestrator)
  await orchestrator.ask(task!, '/hang', NEVER)
  await eventually(async () => {
    assert.match((await listTasks(orchestrator))[0]?.problem ?? '', /told to hang/)
    assert.is(readEndpoints().index_0, undefined)
  })
})

test('services come back when the agent was killed and anything is changed', async () => {
  const { orchestrator, killAgent } = makeEngine()
  await orchestrator.change(index(), DEADLINE)
  await orchestrator.change(index({ name: 'index_1', cluster: 1 }), DEADLINE)
  await killAgent()
  assert.equal(await listStates(orchestrator), [])
  assert.is((await orchestrator.observe(NEVER)).length, 2)
  await orchestrator.change(index(), DEADLINE)
  await eventually(async () => assert.equal(await listStates(orchestrator), ['ready', 'ready']))
})

test('a gateway comes back on its port when the agent was killed', async () => {
  const { orchestrator, killAgent } = makeEngine()
  const port = await findFreePort()
  await orchestrator.change(gateway(port), DEADLINE)
  await killAgent()
  await orchestrator.change(gateway(port), DEADLINE)
  assert.is((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
})

test('keeps the logs of a few former tasks only', async () => {
  const { state, orchestrator } = makeEngine()
  mkdirSync(join(state, 'logs'))
  for (let number = 2; number <= 20; number++) writeFileSync(join(state, `logs/index_0.${number}.log`), '')
  writeFileSync(join(state, 'logs/index_00.1.log'), '')
  await orchestrator.change(index(), DEADLINE)
  const names = readdirSync(join(state, 'logs'))
  assert.is(names.filter((name) => name.startsWith('index_0.')).length, 11)
  assert.ok(names.includes('index_0.1.log'))
  assert.ok(names.includes('index_00.1.log'))
})

test('commands that need an agent at the same time start a single one', async () => {
  const { orchestrator, state } = makeEngine()
  const names = ['index_0', 'index_1', 'index_2']
  await Promise.all(names.map((name) => orchestrator.change(index({ name }), DEADLINE)))
  assert.is((await orchestrator.observe(NEVER)).length, 3)
  assert.is(readFileSync(join(state, 'logs/agent.log'), 'utf8'), '')
})

test('requests never fail while a gateway on a fixed port is replaced', async () => {
  const { orchestrator } = makeEngine()
  const port = await findFreePort()
  await orchestrator.change(gateway(port), DEADLINE)
  const load = startLoad(`http://127.0.0.1:${port}/`)
  await eventually(() => assert.ok(load.seen.get('dg_1')))
  await orchestrator.change(gateway(port, { generations: [DG_2], replicas: 2 }), DEADLINE)
  const former = load.seen.get('dg_1')
  await eventually(() => assert.ok((load.seen.get('dg_2') ?? 0) > 20))
  assert.is(load.seen.get('dg_1'), former)
  assert.equal(await load.stop(), [])
})

test('a gateway that never becomes ready takes no request', async () => {
  const { orchestrator } = makeEngine()
  const port = await findFreePort()
  await orchestrator.change(gateway(port), DEADLINE)
  const load = startLoad(`http://127.0.0.1:${port}/`)
  const bad = gateway(port, { generations: [DG_2], settings: FAILURES.canary })
  await rejectsWith(orchestrator.change(bad, DEADLINE), 'remote', /recall is 0\.2/)
  assert.equal(await load.stop(), [])
  assert.equal([...load.seen.keys()], ['dg_1'])
})

test('a port that another process has is named, with a hint', async () => {
  const { orchestrator } = makeEngine()
  const other = createServer().listen(0, '127.0.0.1')
  const port = await eventually(() => (other.address() as { port: number }).port)
  const error = await rejectsWith(
    orchestrator.change(gateway(port), DEADLINE),
    'remote',
    new RegExp(`port ${port}`),
  )
  assert.match(error.hint ?? '', /gateway\.port/)
  other.close()
})

test('a task is told where it is and what it serves, and nothing of the operator', async () => {
  process.env.LONGSHORE_TEST_SECRET = 'hush'
  const { state, orchestrator } = makeEngine()
  await orchestrator.change(
    index({ nodes: ['node-2'], generations: [DG_2], settings: { MODEL: '{}' } }),
    DEADLINE,
  )
  const [task] = await listTasks(orchestrator)
  const { env } = (await orchestrator.ask(task!, '/v1/status', NEVER)) as { env: Record<string, string> }
  assert.is(env.DATA_DIR, join(state, 'nodes/node-2'))
  assert.is(env.ENDPOINTS_FILE, join(state, 'endpoints.json'))
  assert.is(env.GENERATIONS, 'dg_2@sha256:2')
  assert.equal(
    [env.NODE_NAME, env.TASK_ID, env.CLUSTER, env.PORT, env.MODEL],
    ['node-2', task?.id, '0', '0', '{}'],
  )
  assert.is(env.LONGSHORE_TEST_SECRET, undefined)
})

test('a task that does not end when asked is killed', async () => {
  const { orchestrator, askPid } = makeEngine({ graceMs: 300 })
  await orchestrator.change(index({ settings: { STUB_IGNORE_SIGTERM: '1' } }), DEADLINE)
  const pid = await askPid((await listTasks(orchestrator))[0]!)
  await orchestrator.remove('index_0', NEVER)
  assert.throws(() => process.kill(pid, 0), /ESRCH/)
})

test('shutting down ends every process and removes the socket', async () => {
  const { state, orchestrator, askPid, readAgentPid } = makeEngine()
  await orchestrator.change(index(), DEADLINE)
  const pids = [await askPid((await listTasks(orchestrator))[0]!), readAgentPid()]
  assert.is(statSync(locateSocket(state)).mode & 0o777, 0o600)
  await orchestrator.shutDown(NEVER)
  for (const pid of pids) await eventually(() => assert.throws(() => process.kill(pid, 0), /ESRCH/))
  assert.not(existsSync(locateSocket(state)))
  assert.not(existsSync(join(state, 'endpoints.json')))
})

test('shutting down in the middle of a change ends the change and every process', async () => {
  const { orchestrator, readAgentPid } = makeEngine()
  await orchestrator.change(index(), DEADLINE)
  const pid = readAgentPid()
  const changing = orchestrator.change(index({ settings: FAILURES.neverReady }), DEADLINE)
  changing.catch(() => null)
  await eventually(async () => assert.is((await listTasks(orchestrator)).length, 2))
  await orchestrator.shutDown(NEVER)
  assert.throws(() => process.kill(pid, 0), /ESRCH/)
  await rejectsWith(changing, 'remote', /shut down|ended in the middle/)
})

test('the agent ends when its state directory is deleted', async () => {
  const { state, orchestrator, readAgentPid } = makeEngine()
  await orchestrator.change(index(), DEADLINE)
  const pid = readAgentPid()
  rmSync(state, { recursive: true })
  await eventually(() => assert.throws(() => process.kill(pid, 0), /ESRCH/), 20_000)
  assert.not(existsSync(state))
})

test('a state directory whose path is too long for a socket works all the same', async () => {
  const { state, orchestrator } = makeEngine({ subdirectory: 'long/'.repeat(20) })
  assert.ok(locateSocket(state).length < 100)
  await orchestrator.change(index(), DEADLINE)
  assert.equal(await listStates(orchestrator), ['ready'])
})

function index(overrides: Partial<ServiceSpec> = {}): ServiceSpec {
  return makeSpec({ nodes: NODES }, overrides)
}

function gateway(port: number, overrides: Partial<ServiceSpec> = {}): ServiceSpec {
  const { cluster: _none, ...spec } = index()
  return { ...spec, name: 'gateway', kind: 'gateway', port, ...overrides }
}

type Engine = ReturnType<typeof makeEngine>

async function listTasks(orchestrator: Engine['orchestrator']): Promise<Task[]> {
  return (await orchestrator.observe(NEVER)).flatMap(({ tasks }) => tasks)
}

async function listStates(orchestrator: Engine['orchestrator']): Promise<string[]> {
  return (await listTasks(orchestrator)).map(({ state }) => state)
}

/** Asks without pause on new connections until stopped; counts answers by the generation that they name. */
function startLoad(url: string) {
  const seen = new Map<string, number>()
  const failures: string[] = []
  let isStopped = false
  const ask = async () => {
    while (!isStopped) {
      try {
        const reply = await fetch(url, { headers: { connection: 'close' } })
        const { generation } = (await reply.json()) as { generation: string }
        seen.set(generation, (seen.get(generation) ?? 0) + 1)
      } catch (error) {
        failures.push(String((error as Error).cause ?? error))
      }
    }
  }
  const running = Promise.all([ask(), ask()])
  return {
    seen,
    stop: async () => {
      isStopped = true
      await running
      return failures
    },
  }
}

test.run()
