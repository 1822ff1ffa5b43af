import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { messageOf } from '../../lib/domain/errors.ts'
import { createHedgeBudget } from '../../services/gateway/hedge-budget.ts'
import { createUsualLatency } from '../../services/gateway/usual-latency.ts'
import { type Behaviour, createFakeTasks } from '../support/fake-tasks.ts'

type Behaviours = Record<string, Behaviour | (() => Behaviour)>

const quantile = (sorted: readonly number[], share: number) => sorted[Math.ceil(share * sorted.length) - 1]!
const countOf = (requests: readonly { endpoint: string }[], endpoint: string) =>
  requests.filter((request) => request.endpoint === endpoint).length
/** Times like those of a busy service: 4 to 6 ms, 8 often enough to be usual. */
const usual = () => {
  let turn = 0
  return () => (turn++ % 10 === 0 ? 8 : 4 + (turn % 3))
}

test('asks another task when an answer is late, takes the first answer and aborts the other request', async () => {
  const slow = [400, 7]
  const behave = () => slow.shift()!
  const tasks = createFakeTasks({ a: behave, b: behave })
  const asking = tasks.ask()
  await tasks.clock.pass(99)
  assert.is(tasks.requests.length, 1)
  await tasks.clock.pass(1)
  const [first, second] = tasks.requests
  assert.is.not(first!.endpoint, second!.endpoint)
  assert.not.ok(first!.signal.aborted)
  await tasks.clock.pass(1000)
  const { answer, tookMs } = await asking
  assert.is(tookMs, 107)
  assert.ok(answer.hedged)
  assert.is(answer.endpoint, `http://${second!.endpoint}`)
  assert.ok(first!.signal.aborted)
  assert.not.ok(second!.signal.aborted)
  assert.equal(tasks.counters.hedges, new Map([[0, 1]]))
  assert.is(tasks.requests.length, 2)
})

test('takes for late what took longer than 95 of 100 requests like it of the last five seconds', () => {
  let time = 0
  const latency = createUsualLatency(() => time)
  assert.is(latency.of('0'), 100)
  for (let count = 0; count < 512; count++) latency.note('0', count % 100)
  for (let count = 0; count < 64; count++) latency.note('1', 0.1)
  assert.ok(Math.abs(latency.of('0') - 95) <= 1, String(latency.of('0')))
  assert.is(latency.of('1'), 3)
  for (let count = 0; count < 512; count++) latency.note('0', 400)
  assert.is(latency.of('0'), 400)
  time = 6_000
  for (let count = 0; count < 24; count++) latency.note('0', 20)
  assert.is(latency.of('0'), 20)
})

test('sends no more second requests than the budget allows, and none when there is none', async () => {
  for (const share of [0, 0.05, 0.2]) {
    const slow = () => {
      let turn = 0
      return () => (turn++ % 4 === 0 ? 40 : 5)
    }
    const tasks = createFakeTasks({ a: slow(), b: slow() }, share)
    await tasks.askSteadily(3000, 50)
    const hedges = tasks.counters.hedges.get(0) ?? 0
    assert.is(tasks.requests.length, 3000 + hedges + (tasks.counters.retries.get(0) ?? 0))
    assert.ok(hedges <= (share === 0 ? 0 : 3000 * share + 10), `${hedges} of ${share}`)
    if (share > 0) assert.ok(hedges > 100, String(hedges))
  }
})

test('never asks a second time beside a late answer for the same request', async () => {
  const tasks = createFakeTasks({ a: 1500, b: 1500, c: 1500 }, 1)
  const asking = tasks.ask()
  await tasks.clock.pass(2000)
  await asking
  assert.is(tasks.counters.hedges.get(0), 1)
  assert.is(tasks.requests.length, 2)
})

test('saves what it did not spend for ten second requests at most', () => {
  const budget = createHedgeBudget(0.05)
  for (let count = 0; count < 10_000; count++) budget.earn()
  let spent = 0
  while (budget.spend()) spent++
  assert.is(spent, 10)
  for (let count = 0; count < 19; count++) budget.earn()
  assert.not.ok(budget.spend())
  budget.earn()
  budget.earn()
  assert.ok(budget.spend())
})

for (const share of [0.05, 0]) {
  test(`loses no request to a frozen task, and little time, with a budget of ${share}`, async () => {
    const behaviours: Behaviours = { a: usual(), b: usual() }
    const tasks = createFakeTasks(behaviours, share)
    const healthy = await tasks.askSteadily(500, 5)
    behaviours.a = 'frozen'
    const before = tasks.requests.length
    const times = await tasks.askSteadily(2000, 5)
    assert.is(times.length, 2000)
    const ratio = quantile(times, 0.99) / quantile(healthy, 0.99)
    assert.ok(ratio <= 3, `p99 is ${quantile(times, 0.99)}, healthy ${quantile(healthy, 0.99)}`)
    assert.ok(times.at(-1)! < 200, String(times.at(-1)))
    assert.ok(countOf(tasks.requests.slice(before), 'a') < 60)
  })
}

for (const share of [0.05, 0]) {
  test(`asks a task that rests when the only other one falls silent, with a budget of ${share}`, async () => {
    const behaviours: Behaviours = { a: 'frozen', b: usual() }
    const tasks = createFakeTasks(behaviours, share)
    const first: Promise<{ tookMs: number }>[] = []
    for (let turn = 0; turn < 100; turn++) {
      first.push(tasks.ask())
      await tasks.clock.pass(5)
    }
    await tasks.clock.pass(100)
    await Promise.all(first)
    behaviours.a = usual()
    behaviours.b = 'frozen'
    const asking = [tasks.ask(), tasks.ask(), tasks.ask()]
    await tasks.clock.pass(5000)
    const times = (await Promise.all(asking)).map(({ tookMs }) => tookMs)
    assert.ok(Math.max(...times) < 500, String(times))
  })
}

test('gives a task its share again once it answers again', async () => {
  const behaviours: Behaviours = { a: 'frozen', b: 5 }
  const tasks = createFakeTasks(behaviours)
  await tasks.askSteadily(500, 10)
  behaviours.a = 5
  await tasks.askSteadily(200, 10)
  const before = tasks.requests.length
  await tasks.askSteadily(100, 10)
  const share = countOf(tasks.requests.slice(before), 'a')
  assert.ok(Math.abs(share - 50) <= 5, String(share))
})

test('asks another task at once when one is gone, and counts it', async () => {
  const tasks = createFakeTasks({ a: 'gone', b: 5 })
  const times = await tasks.askSteadily(100, 10)
  assert.is(times.at(-1), 5)
  assert.is(tasks.counters.failures.get(0), countOf(tasks.requests, 'a'))
  assert.equal(tasks.counters.retries, tasks.counters.failures)
})

test('asks a slow task less often, and one as fast as the others as often', async () => {
  const tasks = createFakeTasks({ slow: 40, a: 10, b: 10 }, 0)
  await tasks.askSteadily(600, 5)
  const [slow, a, b] = ['slow', 'a', 'b'].map((name) => countOf(tasks.requests, name))
  assert.ok(slow! < 0.5 * a!, `${slow} of ${a}`)
  assert.ok(Math.abs(a! - b!) < 0.2 * a!, `${a} and ${b}`)
})

test('tells a task how much time is left, and never more than one task may take', async () => {
  const tasks = createFakeTasks({ a: 'busy' })
  const asking = tasks.ask().catch(messageOf)
  await tasks.clock.pass(10_000)
  assert.match(String(await asking), /is busy/)
  const left = tasks.requests.map(({ url }) => Number(url.searchParams.get('deadlineMs')))
  assert.is(left[0], 2500)
  assert.ok(left.at(-1)! < 500)
  assert.ok(left.every((milliseconds, at) => at === 0 || milliseconds <= left[at - 1]!))
})

test('aborts its request when nobody waits any more, and does not hold that against the task', async () => {
  const behaviours: Behaviours = { a: 'frozen' }
  const tasks = createFakeTasks(behaviours)
  const controller = new AbortController()
  const asking = tasks.ask(controller.signal).catch(() => 'gave up')
  await tasks.clock.pass(10)
  controller.abort()
  await tasks.clock.pass(1)
  assert.is(await asking, 'gave up')
  assert.ok(tasks.requests[0]!.signal.aborted)
  assert.is(tasks.counters.failures.size, 0)
})

test('does not hold it against tasks that the time of a request ran out', async () => {
  const tasks = createFakeTasks({ a: 30, b: 30 }, 0)
  await tasks.askSteadily(32, 10)
  const outOfTime = [1, 2].map(() => tasks.ask(undefined, 10).catch(messageOf))
  await tasks.clock.pass(20)
  for (const message of await Promise.all(outOfTime)) assert.match(String(message), /no answer in time/)
  const before = tasks.requests.length
  await tasks.askSteadily(20, 100)
  assert.is(countOf(tasks.requests.slice(before), 'a'), 10)
  assert.is(tasks.counters.failures.size, 0)
})

test('does not ask a busy task again without a growing pause', async () => {
  const tasks = createFakeTasks({ a: 'busy', b: 'busy' })
  const asking = tasks.ask().catch(() => undefined)
  await tasks.clock.pass(10_000)
  await asking
  assert.ok(tasks.requests.length <= 60, String(tasks.requests.length))
})

test.run()
