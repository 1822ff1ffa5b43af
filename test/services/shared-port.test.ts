import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { extractionServiceName } from '../../lib/domain/service.ts'
import { startAsking } from '../support/asking.ts'
import { eventually } from '../support/eventually.ts'
import { findFreePort } from '../support/free-port.ts'
import { makeGeneration, makeModel } from '../support/generation.ts'
import { makeQuestions } from '../support/questions.ts'
import { type SearchSystem, startSearchSystem } from '../support/search-system.ts'
import { call } from '../support/services.ts'
import { ROOT } from '../support/shared.ts'
import { makeTempDir } from '../support/temp.ts'

const directory = makeTempDir()
const texts = makeQuestions('dg_1', 60).map(({ text }) => text)
const EXTRACTION = extractionServiceName(makeModel(32))
let system: SearchSystem

test.before(async () => {
  system = await startSearchSystem(directory, await makeGeneration(directory, { texts, dimensions: 32 }))
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ exec: `${ROOT}services/main.ts`, args: ['gateway'], execArgv: [], silent: true })
})
test.after(async () => {
  await system.stop()
})

type Task = { readonly worker: Worker; readonly admin: string; readonly isListening: () => boolean }

/** A gateway as the local engine runs it: on a port that tasks share, and one of its own. */
async function startTask(port: number): Promise<Task> {
  const env = { HOST: '127.0.0.1', ADMIN: '1', PORT: String(port), ...system.gatewayEnv }
  const worker = cluster.fork(env)
  const told: Record<string, number> = {}
  worker.on('message', (message: Record<string, number>) => Object.assign(told, message))
  await eventually(() => assert.ok(told.admin))
  return { worker, admin: `http://127.0.0.1:${told.admin}`, isListening: () => told.listening === port }
}

async function stopTask({ worker }: Task): Promise<number | null> {
  worker.process.kill('SIGTERM')
  const [code] = (await once(worker, 'exit')) as [number | null]
  return code
}

test('loses no request of keep-alive clients while gateway tasks replace each other on one port', async () => {
  const port = await findFreePort()
  let task = await startTask(port)
  await eventually(() => assert.ok(task.isListening()))
  const answers = startAsking(`http://127.0.0.1:${port}`, texts)
  for (let turn = 0; turn < 3; turn++) {
    await answers.moreThan(30)
    const next = await startTask(port)
    await eventually(() => assert.ok(next.isListening()))
    assert.is(await stopTask(task), 0)
    task = next
  }
  await answers.moreThan(30)
  assert.equal(await answers.stop(), [])
  assert.is(await stopTask(task), 0)
})

test('lets no client come before its canary queries have passed', async () => {
  const extraction = system.extraction.url
  await system.setEndpoints(EXTRACTION, [])
  const port = await findFreePort()
  const task = await startTask(port)
  await eventually(async () => {
    const { status, body } = await call(`${task.admin}/readyz`)
    assert.is(status, 503)
    assert.is(body.error.code, 'canary_waiting')
  })
  const refused = await call(`http://127.0.0.1:${port}/healthz`).catch(
    (error: NodeJS.ErrnoException) => error.code,
  )
  assert.is(refused, 'ECONNREFUSED')
  await system.setEndpoints(EXTRACTION, [extraction])
  await eventually(() => assert.ok(task.isListening()))
  assert.is((await call(`http://127.0.0.1:${port}/readyz`)).status, 200)
  assert.is(await stopTask(task), 0)
})

test.run()
