import { readdir, rm, writeFile } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts'

let fleet: Fleet
const mounted: SmallDisk[] = []
let generations: SmallDisk

test.before(async () => {
  fleet = await makeFleet()
  await writeQuestions(fleet.path('items.jsonl'), makeQuestions('item', 2000))
})
test.after(async () => {
  await fleet.stop()
  for (const disk of mounted) disk.unmount()
})

function mount(directory: string, bytes: number): SmallDisk {
  const disk = mountSmallDisk(directory, bytes)
  mounted.push(disk)
  return disk
}

test('leaves nothing under a final name when the disk of the generations is too small', async () => {
  generations = mount(fleet.path('dgs'), 200_000)
  const split = await fleet.run('split-index', fleet.path('items.jsonl'))
  assert.is(split.code, 30, split.stdout + split.stderr)
  assert.match(split.json.error.message, /space|room/)
  assert.equal(await readdir(fleet.path('dgs')), [])
})

test('splits again once there is room', async () => {
  generations.resize(20_000_000)
  const split = await fleet.run('split-index', fleet.path('items.jsonl'))
  assert.is(split.code, 0, split.stdout + split.stderr)
})

test('reports a node whose disk is full, publishes nothing there, and continues once there is room', async () => {
  const node = fleet.path('state', 'nodes', 'node-2')
  mount(node, 20_000_000)
  await writeFile(`${node}/ballast`, Buffer.alloc(19_900_000))
  const delivery = await fleet.run('deliver')
  assert.is(delivery.code, 3, delivery.stdout + delivery.stderr)
  assert.is(delivery.json.outcome, 'partial')
  assert.match(delivery.json.error.message, 'node-2')
  assert.not.ok((await readdir(node)).includes('dg_1'))
  assert.ok((await readdir(fleet.path('state', 'nodes', 'node-1'))).includes('dg_1'))

  const update = await fleet.run('update-indices')
  assert.is(update.code, 30, update.stdout + update.stderr)
  assert.not.ok((await readdir(node)).includes('dg_1'))

  await rm(`${node}/ballast`)
  assert.is((await fleet.run('deliver')).code, 0)
  const served = await fleet.run('update-indices')
  assert.is(served.code, 0, served.stdout + served.stderr)
})

test.run()
