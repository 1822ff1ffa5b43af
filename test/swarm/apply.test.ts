import { readFile } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { eventually } from '../support/eventually.ts'
import { TEST_EXTRACTION } from '../support/fleet.ts'
import type { Load } from '../support/load.ts'
import { run } from './lab/quiet.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { FLEET, type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'

const SERVICES = [TEST_EXTRACTION, 'gateway', 'index_0', 'index_1']
/** What the profile says from some scenario on. */
const TWO_EXTRACTIONS = { extraction: { replicas: 2 } }
const IMAGE = '{{.Spec.TaskTemplate.ContainerSpec.Image}}'
const BOUNDED = { swarm: { resources: { extraction: { limits: { memory: '512M' } } } } }

let fleet: SwarmFleet
let load: Load | undefined

test.before(async () => {
  fleet = await startSwarmFleet()
  await fleet.makeGeneration('dg_1')
})
test.after(async () => {
  await load?.stop()
  await fleet?.stop({ hasFailed: hasFailed() })
})

scenario('sends to update-indices where nothing is served yet', async () => {
  const { code, json } = await fleet.run('apply')
  assert.is(code, 10)
  assert.match(json.error.hint, 'update-indices.mjs')
})

scenario('changes nothing where an update has just made the services, nor the second time', async () => {
  assert.is((await fleet.run('update-indices', 'dg_1')).code, 0)
  const tasks = await listTasks()
  load = fleet.load({ perSecond: 100 })
  for (const _time of [1, 2]) {
    const { json, stderr } = await fleet.run('apply')
    assert.is(json?.outcome, 'nothing-to-do', `${JSON.stringify(json?.differences)}\n${stderr}`)
  }
  assert.equal(await listTasks(), tasks)
})

scenario('leaves a stack file of every service that docker takes as it is', async () => {
  const file = fleet.path('config', 'current', FLEET, 'stack.yml')
  const { stdout } = await run`docker stack config --compose-file ${file}`
  assert.equal(Object.keys(parse(stdout).services).sort(), SERVICES)
  assert.match(await readFile(file, 'utf8'), /^ {4}image: longshore:/m)
})

scenario('touches only the service whose number of replicas was changed, and none of its tasks', async () => {
  const before = await listTasks()
  await fleet.configure(TWO_EXTRACTIONS)
  const { json } = await applied()
  assert.equal(json.differences, [{ service: TEST_EXTRACTION, path: 'deploy.replicas', from: 1, to: 2 }])
  const after = await listTasks()
  assert.is(after[TEST_EXTRACTION]?.length, 2)
  assert.ok(after[TEST_EXTRACTION]?.includes(before[TEST_EXTRACTION]![0]!))
  assert.equal({ ...after, [TEST_EXTRACTION]: [] }, { ...before, [TEST_EXTRACTION]: [] })
})

scenario('sees resources, which no spec tells, and sets them', async () => {
  const before = await listTasks()
  await fleet.configure({ ...TWO_EXTRACTIONS, ...BOUNDED })
  const shown = await fleet.run('apply', '--dry-run')
  assert.equal(shown.json.differences, [
    { service: TEST_EXTRACTION, path: 'deploy.resources', from: null, to: { limits: { memory: '512M' } } },
  ])
  assert.equal(await listTasks(), before)
  await applied()
  assert.is(
    await inspect(TEST_EXTRACTION, '{{.Spec.TaskTemplate.Resources.Limits.MemoryBytes}}'),
    '536870912',
  )
  assert.is((await fleet.run('apply')).json.outcome, 'nothing-to-do')
})

scenario('takes back what somebody changed by hand, the image too', async () => {
  const image = await inspect(TEST_EXTRACTION, IMAGE)
  await Promise.all(
    fleet.lab.nodes.map(({ name }) => fleet.lab.docker(name, 'tag', image, 'longshore:by-hand')),
  )
  const edits = ['--image', 'longshore:by-hand', '--env-add', 'BY_HAND=1', '--replicas', '1']
  const flags = ['--detach', '--no-resolve-image', ...edits]
  await fleet.lab.docker('n1', 'service', 'update', ...flags, `${FLEET}_${TEST_EXTRACTION}`)
  const { json } = await applied()
  assert.equal(json.differences, [
    { service: TEST_EXTRACTION, path: 'deploy.replicas', from: 1, to: 2 },
    { service: TEST_EXTRACTION, path: 'environment.BY_HAND', from: '1', to: null },
    { service: TEST_EXTRACTION, path: 'image', from: 'longshore:by-hand', to: image },
  ])
  assert.is(await inspect(TEST_EXTRACTION, IMAGE), image)
  assert.is((await fleet.run('apply')).json.outcome, 'nothing-to-do')
})

scenario('goes back from an image that no node has, with every former task still serving', async () => {
  const before = await listTasks()
  await fleet.configure({ swarm: { ...BOUNDED.swarm, image: 'longshore:nowhere' }, ...TWO_EXTRACTIONS })
  const { code, json, stderr } = await fleet.run('apply')
  assert.is(code, 20, stderr)
  assert.match(json.error.message, /longshore:nowhere.*every service stands as before/s)
  assert.equal(await listTasks(), before)
  for (const service of ['gateway', 'index_0', 'index_1']) {
    assert.equal(Object.values(await fleet.readServed(service)), [['dg_1'], ['dg_1']])
  }
})

scenario('replaces gateways under load, one after the other, and takes it back', async () => {
  const before = await listTasks()
  const limits = { gateway: { limits: { memory: '1G' } } }
  await fleet.configure({
    swarm: { resources: { ...BOUNDED.swarm.resources, ...limits } },
    ...TWO_EXTRACTIONS,
  })
  const { json } = await applied()
  assert.equal(json.plan.map(targetOf), ['gateway'])
  const after = await listTasks()
  assert.not(after.gateway!.some((id) => before.gateway!.includes(id)))
  assert.equal({ ...after, gateway: [] }, { ...before, gateway: [] })
  const undone = await fleet.run('apply', '--undo')
  assert.is(undone.code, 0, undone.stderr)
  assert.equal(undone.json.plan.map(targetOf), ['gateway'])
  assert.match(
    await inspect('gateway', '{{json .Spec.TaskTemplate.Resources}}'),
    /^{("Limits":{},"Reservations":{})?}$/,
  )
})

scenario('names services that the profile declares no more, and leaves them alone', async () => {
  const before = await listTasks()
  await fleet.configure({ extraction: { url: 'http://127.0.0.1:1' }, ...BOUNDED })
  const { json } = await fleet.run('apply', '--dry-run')
  assert.equal(json.strangers, [TEST_EXTRACTION])
  assert.equal(await listTasks(), before)
})

scenario('has failed no request over all of this', async () => {
  const goal = load!.seen() + 200
  await eventually(() => assert.ok(load!.seen() >= goal, 'the load stands still'), 90_000)
  const { requests, failures, byGeneration } = await load!.stop()
  console.log(`${requests} requests, ${failures.length} failed`)
  assert.equal(failures, [])
  assert.equal(Object.keys(byGeneration), ['dg_1'])
})

test.run()

async function applied() {
  const run = await fleet.run('apply')
  assert.is(run.code, 0, `${run.stdout}\n${run.stderr}`)
  return run
}

function targetOf({ target }: { target: string }): string {
  return target
}

/** Ids of the tasks that run, by service, as the Swarm tells them. */
async function listTasks(): Promise<Record<string, string[] | undefined>> {
  const listed = SERVICES.map(async (service) => {
    const running = ['--filter', 'desired-state=running', '--format', '{{.ID}}']
    const text = await fleet.lab.docker('n1', 'service', 'ps', ...running, `${FLEET}_${service}`)
    return [service, text.split('\n').filter(Boolean).sort()] as const
  })
  return Object.fromEntries(await Promise.all(listed))
}

async function inspect(service: string, format: string): Promise<string> {
  return await fleet.lab.docker('n1', 'service', 'inspect', '--format', format, `${FLEET}_${service}`)
}
