import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeFleet } from '../support/fleet.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'

type Asked = {
  readonly path: string
  readonly token: string | undefined
  readonly body: {
    readonly run_name?: string
    readonly status?: string
    readonly params?: readonly { readonly key: string; readonly value: string }[]
    readonly metrics?: readonly { readonly key: string; readonly value: number }[]
  }
}
const asked: Asked[] = []
let isBroken = false
let tracker: Server

/** Answers as MLflow's tracking server does, as far as it is asked. */
function answer(path: string): unknown {
  const made = asked.some((one) => one.path === 'experiments/create')
  if (path === 'experiments/search') return made ? { experiments: [{ experiment_id: '7' }] } : {}
  if (path === 'experiments/create') return { experiment_id: '7' }
  return path === 'runs/create' ? { run: { info: { run_id: 'r1' } } } : {}
}

test.before(async () => {
  tracker = createServer(async (request, response) => {
    let text = ''
    for await (const part of request) text += part
    const path = request.url!.replace('/api/2.0/mlflow/', '')
    const reply = answer(path)
    asked.push({ path, token: request.headers.authorization, body: JSON.parse(text) })
    response.statusCode = isBroken ? 500 : 200
    response.end(
      isBroken ? '{"error_code":"INTERNAL_ERROR","message":"out of order"}' : JSON.stringify(reply),
    )
  })
  await new Promise<void>((resolve) => tracker.listen(0, '127.0.0.1', resolve))
})
test.after(() => {
  tracker.closeAllConnections()
  tracker.close()
})

async function makeLogged(gates: Record<string, number> = {}) {
  asked.length = 0
  const url = `http://127.0.0.1:${(tracker.address() as AddressInfo).port}`
  const fleet = await makeFleet({
    mlflow: { url, experiment: 'galleries' },
    gates: { selfRouting: 0.8, recall: 0.8, ...gates },
  })
  await writeQuestions(fleet.path('in.jsonl'), makeQuestions('first', 120))
  return fleet
}

test('a split is a run of the experiment, with what its gates measured', async () => {
  const fleet = await makeLogged()
  assert.is((await fleet.run('split-index', fleet.path('in.jsonl'))).code, 0)
  assert.equal(
    asked.map(({ path }) => path),
    ['experiments/search', 'experiments/create', 'runs/create', 'runs/log-batch', 'runs/update'],
  )
  const [, , created, logged, updated] = asked
  assert.is(created!.body.run_name, 'split-index dg_1')
  assert.is(updated!.body.status, 'FINISHED')
  const params = Object.fromEntries(logged!.body.params!.map(({ key, value }) => [key, value]))
  assert.equal([params.generation, params.outcome, params.profile], ['dg_1', 'done', 'test'])
  const metrics = Object.fromEntries(logged!.body.metrics!.map(({ key, value }) => [key, value]))
  assert.equal([metrics.items, metrics.exitCode, params['gate.recall.limit']], [120, 0, '>= 0.8'])
  assert.ok(metrics['gate.recall']! >= 0.8)
  await fleet.run('status')
  assert.is(asked.length, 5)
})

test('a split that a gate refuses is a run that failed', async () => {
  const fleet = await makeLogged({ duplicates: 0, selfRouting: 1, recall: 1, norms: 1e-12 })
  assert.is((await fleet.run('split-index', fleet.path('in.jsonl'))).code, 13)
  assert.is(asked.at(-1)!.body.status, 'FAILED')
  assert.ok(asked.at(-2)!.body.metrics!.some(({ key }) => key.startsWith('gate.')))
})

test('a tracking server that fails, or is gone, fails no command, and is told of', async () => {
  isBroken = true
  const fleet = await makeLogged()
  const split = await fleet.run('split-index', fleet.path('in.jsonl'))
  assert.is(split.code, 0)
  assert.match(split.stderr, /mlflow\.url: it was not told .* answered 500: INTERNAL_ERROR: out of order/)
  const gone = await makeFleet({ mlflow: { url: 'http://127.0.0.1:9' } })
  await writeQuestions(gone.path('in.jsonl'), makeQuestions('first', 60))
  const other = await gone.run('split-index', gone.path('in.jsonl'))
  assert.is(other.code, 0, other.stderr)
  assert.match(other.stderr, 'mlflow.url: it was not told')
})

test.run()
