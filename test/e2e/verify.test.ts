import { readFile } from 'node:fs/promises'
import { request } from 'undici'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { flipByte } from '../support/files.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'

const FILE = 'clust_0/vectors.npy'
const QUESTIONS = makeQuestions('item', 120)

let fleet: Fleet
test.before(async () => {
  fleet = await makeFleet({ split: { clusters: 2, goldenQueries: 20 } })
  await writeQuestions(fleet.path('items.jsonl'), QUESTIONS)
  assert.is((await fleet.run('split-index', fleet.path('items.jsonl'))).code, 0)
  assert.is((await fleet.run('update-indices')).code, 0)
})
test.after(async () => {
  await fleet.stop()
})

test('finds every copy of what is in service sound', async () => {
  const { code, json } = await fleet.run('verify')
  assert.is(code, 0)
  assert.is(json.outcome, 'nothing-to-do')
  assert.equal(
    json.nodes.map((node: { name: string; generations: { state: string }[] }) => [
      node.name,
      node.generations.map(({ state }) => state),
    ]),
    [
      ['node-1', ['sound']],
      ['node-2', ['sound']],
    ],
  )
})

test('names the node and the file of one wrong byte with exit code 12, brings it again, and serves all the while', async () => {
  const held = fleet.path('state/nodes/node-2/dg_1', FILE)
  flipByte(held)
  const found = await fleet.run('verify')
  assert.is(found.code, 12)
  assert.match(found.json.error.message, 'node-2')
  assert.match(found.json.error.message, FILE)
  assert.match(found.json.error.hint, '--repair')
  const elsewhere = await fleet.run('verify', 'dg_1', '--nodes', 'node-1')
  assert.is(elsewhere.code, 0)

  const shown = await fleet.run('verify', '--repair', '--dry-run')
  assert.is(shown.code, 0)
  assert.equal(
    shown.json.plan.map(({ node }: { node: string }) => node),
    ['node-2'],
  )
  const repaired = await fleet.run('verify', '--repair')
  assert.is(repaired.code, 0, repaired.stderr)
  assert.is(repaired.json.nodes[1].generations[0].repaired, true)
  assert.equal(await readFile(held), await readFile(fleet.path('dgs/dg_1', FILE)))
  assert.is((await fleet.run('verify')).json.outcome, 'nothing-to-do')
  await expectAnswer()
})

async function expectAnswer(): Promise<void> {
  const { body } = await request(`${fleet.url}/v1/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: QUESTIONS[7]!.text, k: 1 }),
  })
  const { generation, hits } = (await body.json()) as { generation: string; hits: { id: string }[] }
  assert.is(generation, 'dg_1')
  assert.is(hits[0]?.id, 'item-7')
}

test.run()
