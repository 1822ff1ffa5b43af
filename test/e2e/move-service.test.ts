import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { create, type MoveWorld, makeMoveWorld } from '../support/service-move.ts'
import { call } from '../support/services.ts'

const worlds: MoveWorld[] = []
/** However long a busy machine keeps one of both servers waiting. */
const PATIENT = { waitSeconds: 60, count: 3, latencyRatio: 1000 }
const make = async (...args: Parameters<typeof makeMoveWorld>) => {
  const world = await makeMoveWorld(...args)
  worlds.push(world)
  return world
}
test.after.each(async () => {
  for (const world of worlds.splice(0)) await world.stop()
})

const move = ({ fleet }: MoveWorld, ...args: string[]) => fleet.run('move-service', ...args)
const hasService = async (url: string, name: string) => (await call(`${url}/services/${name}`)).status === 200
const route = async ({ routerUrl }: MoveWorld) =>
  (await call(`${routerUrl}/v1/status`)).body.routes.services.one.backends as {
    url: string
    service: string
    weight: number
  }[]

test('moves a service under load without a failed request, returns to the former, and deletes it in the end', async () => {
  const world = await make()
  const load = world.load()
  const { source, target } = world
  await eventually(() => assert.ok(load.answered() > 10), 60_000)
  const dry = await move(world, '--dry-run')
  assert.is(dry.code, 0, dry.stderr)
  assert.equal(
    dry.json.plan.map(({ action }: { action: string }) => action),
    ['deliver', 'start', 'load', 'check', 'switch', 'switch', 'switch', 'switch'],
  )
  assert.not(existsSync(world.to))
  const moving = world.fleet.start('move-service', 'texts')
  const { code, json, stderr } = await moving.ended
  assert.is(code, 0, stderr)
  assert.is(json.phase, 'moved')
  assert.is(json.comparison.agreement, 1)
  assert.equal(readFileSync(join(world.to, 'net.pt')), readFileSync(join(world.from, 'net.pt')))
  assert.equal(
    (await route(world)).map(({ service, weight }) => [service, weight]),
    [
      ['one', 0],
      ['two', 100],
    ],
  )
  assert.is((await move(world)).json.outcome, 'nothing-to-do')
  const undone = await move(world, '--undo')
  assert.is(undone.code, 0, undone.stderr)
  assert.not(await hasService(target.url, 'two'))
  assert.is((await move(world, '--undo')).json.outcome, 'nothing-to-do')
  const again = await move(world, '--finish')
  assert.is(again.code, 0, again.stderr)
  assert.is(again.json.phase, 'finished')
  assert.not(await hasService(source.url, 'one'))
  assert.is((await move(world, '--finish')).json.outcome, 'nothing-to-do')
  assert.is((await move(world, '--undo')).code, 13)
  const answered = load.answered()
  await eventually(() => assert.ok(load.answered() > answered + 10), 60_000)
  assert.equal(load.failures, [])
})

test('a target that answers otherwise, or not at all, gets no request of a client', async () => {
  const world = await make({ targetMembers: { parameters: { mllib: { dimensions: 16 } } } })
  const load = world.load()
  const { code, json, stderr } = await move(world)
  assert.is(code, 13, stderr)
  assert.match(json.error.message, /does not answer as the source does: 0 of \d+ items are answered alike/)
  assert.is(json.comparison.agreement, 0)
  assert.not(await hasService(world.target.url, 'two'))
  assert.equal(
    (await route(world)).map(({ service }) => service),
    ['one'],
  )
  await eventually(() => assert.ok(load.answered() > 20), 60_000)
  assert.equal(load.failures, [])
})

test('a target that does not get warm is given up before any request of a client', async () => {
  const requests = { requests: 'requests.jsonl' }
  const world = await make({ move: { compare: { ...PATIENT, ...requests } } })
  writeFileSync(world.fleet.path('requests.jsonl'), '{"service":"one","data":[7]}\n')
  const { code, json } = await move(world)
  assert.is(code, 13)
  assert.match(json.error.message, /does not get warm: prediction 1 of 5 failed/)
  assert.not(await hasService(world.target.url, 'two'))
})

test('a target that dies at half of the requests gives them all back, and no request fails', async () => {
  const world = await make({
    move: { redirect: { steps: [50, 100], holdSeconds: 60 }, compare: PATIENT },
  })
  const load = world.load()
  const moving = world.fleet.start('move-service', 'texts')
  await eventually(async () => assert.is((await route(world)).length, 2), 90_000)
  world.target.process.kill('SIGKILL')
  const { code, json, stderr } = await moving.ended
  assert.is(code, 20, stderr)
  assert.type(json.returned.returnedMs, 'number')
  assert.match(json.error.message, /has all requests again/)
  assert.equal(
    (await route(world)).map(({ service }) => service),
    ['one'],
  )
  assert.equal(load.failures, [])
})

test('killed after any step it goes on, or returns, and no request fails', async () => {
  const world = await make({ move: { compare: PATIENT, redirect: { holdSeconds: 0.5 } } })
  const load = world.load()
  const keys = ['copy', 'create', 'warm', 'compare', 'redirect 1', 'redirect 50', 'redirect 100']
  for (const [at, key] of keys.entries()) {
    const seen = world.journal().length
    const running = world.fleet.start('move-service', 'texts')
    const isAt = (line: string) => line.includes(`"texts: ${key}`)
    await eventually(() => assert.ok(world.journal().slice(seen).some(isAt), key), 90_000)
    running.kill('SIGKILL')
    await running.ended
    if (at % 2 === 1) {
      const undone = await move(world, '--undo')
      assert.is(undone.code, 0, undone.stderr)
      assert.not(await hasService(world.target.url, 'two'))
      assert.is(await hasService(world.source.url, 'one'), true)
    }
  }
  const { code, json, stderr } = await move(world, '--finish')
  assert.is(code, 0, stderr)
  assert.is(json.phase, 'finished')
  assert.equal(load.failures, [])
})

test('a router that is started anew in the middle of a move goes on with its routes', async () => {
  const world = await make({
    move: { compare: PATIENT, redirect: { steps: [50, 100], holdSeconds: 3 } },
  })
  const load = world.load()
  const moving = world.fleet.start('move-service', 'texts')
  await eventually(async () => assert.is((await route(world)).length, 2), 90_000)
  assert.is((await move(world, '--stop-router')).code, 0)
  assert.is((await move(world, '--start-router')).json.outcome, 'done')
  const { code, stderr } = await moving.ended
  assert.is(code, 0, stderr)
  assert.is((await route(world)).at(-1)?.weight, 100)
  assert.ok(load.answered() > 0)
})

test('a service of somebody else at the target, and a template over a network, are refused with the reason', async () => {
  const template = await make({ targetMembers: { parameters: { mllib: { template: 'mlp' } } } })
  const refused = await move(template)
  assert.is(refused.code, 13)
  assert.match(refused.json.error.message, /template is refused: the repository holds a network \(net\.pt\)/)
  const { fleet, target, to } = template
  mkdirSync(to)
  await create(target.url, 'two', to)
  writeFileSync(fleet.profile, readFileSync(fleet.profile, 'utf8').replace('template: mlp', 'dimensions: 32'))
  const taken = await move(template)
  assert.is(taken.code, 13)
  assert.match(taken.json.error.message, /is there already, and not of the move texts/)
  assert.ok(await hasService(target.url, 'two'))
})

test('what cannot be asked for is told with its exit code', async () => {
  const { fleet } = await make()
  assert.is((await fleet.run('move-service', 'nothing')).code, 2)
  assert.is((await fleet.run('move-service', '--undo', '--finish')).code, 2)
  assert.is((await fleet.run('move-service', '--stop-router')).code, 0)
  assert.is((await fleet.run('move-service', '--stop-router')).json.outcome, 'nothing-to-do')
  const { code, json } = await fleet.run('move-service')
  assert.is(code, 30)
  assert.match(json.error.hint, '--start-router')
})

test.run()
