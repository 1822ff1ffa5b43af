import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'undici'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readManifest } from '../support/damage.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'

const KINDS = ['exact-i8', 'hnsw'] as const
const FILES = { 'exact-i8': 'index.i8.npy', hnsw: 'index.usearch' } as const
const QUESTIONS = makeQuestions('first', 300)
let fleet: Fleet

test.before(async () => {
  fleet = await makeFleet()
  await writeQuestions(fleet.path('first.jsonl'), QUESTIONS)
})
test.after(async () => {
  await fleet.stop()
})

async function splitAs(kind: string, borderShare = 0) {
  const profile = await readFile(fleet.profile, 'utf8')
  const settings = `split: # chosen\n  search: ${kind}\n  borderShare: ${borderShare}\n`
  const former = /split:( # chosen\n {2}search: .*\n {2}borderShare: .*)?\n/
  await writeFile(fleet.profile, profile.replace(former, settings))
  const { code, stderr, json } = await fleet.run('split-index', fleet.path('first.jsonl'))
  assert.is(code, 0, stderr)
  return json.generation as string
}

async function ask(text: string, options: { k?: number; nprobe?: number } = {}) {
  const { body } = await request(`${fleet.url}/v1/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: text, k: 3, ...options }),
  })
  return (await body.json()) as { generation: string; hits: { id: string; score: number }[] }
}

for (const kind of KINDS) {
  test(`splits, delivers and serves shards that are searched as ${kind}, and finds every item again`, async () => {
    const generation = await splitAs(kind)
    const { clusters } = await readManifest(fleet.path('dgs', generation))
    assert.ok(clusters.every(({ search }) => search?.kind === kind))
    const update = await fleet.run('update-indices')
    assert.is(update.code, 0, `${update.stdout}\n${update.stderr}`)
    for (const { id, text } of QUESTIONS.slice(0, 20)) {
      const answer = await ask(text)
      assert.is(answer.generation, generation)
      assert.is(answer.hits[0]?.id, id)
    }
  })

  test(`refuses a generation whose ${FILES[kind]} has a flipped byte, and goes on serving the former one`, async () => {
    const served = (await ask(QUESTIONS[0]!.text)).generation
    await writeQuestions(fleet.path('first.jsonl'), makeQuestions('first', 300))
    const generation = await splitAs(kind)
    const path = fleet.path('dgs', generation, 'clust_1', FILES[kind])
    const bytes = await readFile(path)
    bytes[777] = bytes[777]! ^ 1
    await writeFile(path, bytes)
    const update = await fleet.run('update-indices')
    assert.is(update.code, 12, `${update.stdout}\n${update.stderr}`)
    assert.match(update.json.error.message, `clust_1/${FILES[kind]}`)
    assert.is((await ask(QUESTIONS[0]!.text)).generation, served)
  })
}

test('tells an item once that two clusters hold, and counts it once', async () => {
  const generation = await splitAs('exact-i8', 0.3)
  const { clusters } = await readManifest(fleet.path('dgs', generation))
  assert.ok(clusters.some(({ copies }) => copies))
  const update = await fleet.run('update-indices')
  assert.is(update.code, 0, `${update.stdout}\n${update.stderr}`)
  const { body } = await request(`${fleet.url}/v3/galleries/questions/test`)
  assert.is(((await body.json()) as { objects: number }).objects, QUESTIONS.length)
  for (const { id, text } of QUESTIONS.slice(0, 20)) {
    const { hits } = await ask(text, { k: 50, nprobe: 3 })
    assert.is(hits[0]?.id, id)
    assert.is(new Set(hits.map((hit) => hit.id)).size, 50)
  }
})

test.run()
