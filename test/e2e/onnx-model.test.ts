import { readFile } from 'node:fs/promises'
import { request } from 'undici'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { writeTextModel } from '../support/onnx-model.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'
import { makeTempDir } from '../support/temp.ts'

const DIMENSIONS = 32
const QUESTIONS = makeQuestions('first', 150)
const words = [...new Set(QUESTIONS.flatMap(({ text }) => text.toLowerCase().match(/\w+|[^\w\s]+/g) ?? []))]
let fleet: Fleet

/** A fixed direction for each word, as good as random. */
function valueAt(token: number, column: number): number {
  return token < 4 ? 0.01 : Math.sin((token * 131 + column) * 12.9898) * 4
}

test.before(async () => {
  const onnx = writeTextModel(makeTempDir(), { words, dimensions: DIMENSIONS, valueAt, maxTokens: 64 })
  const model = { name: 'words', version: '1', dimensions: DIMENSIONS, metric: 'cosine', normalized: true }
  fleet = await makeFleet({ models: [{ ...model, extraction: { onnx, device: 'cpu' } }] })
  await writeQuestions(fleet.path('first.jsonl'), QUESTIONS)
})
test.after(async () => {
  await fleet.stop()
})

async function search(query: string) {
  const { body } = await request(`${fleet.url}/v1/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, k: 1 }),
  })
  return (await body.json()) as { generation: string; model: { name: string }; hits: { id: string }[] }
}

async function run(script: string, ...args: string[]) {
  const ended = await fleet.run(script, ...args)
  assert.is(ended.code, 0, `${script}: ${ended.stderr} ${ended.stdout}`)
  return ended.json
}

test('moves a gallery from the built-in model to an ONNX model, serves it, and goes back', async () => {
  await run('split-index', fleet.path('first.jsonl'))
  await run('update-indices')
  const { text, id } = QUESTIONS[17]!
  assert.is((await search(text)).generation, 'dg_1')

  const made = await run('reembed', '--from', 'dg_1', '--model', 'words')
  assert.is(made.generation, 'dg_2')
  assert.is(made.embedding.items, 150)
  const manifest = JSON.parse(await readFile(fleet.path('dgs', 'dg_2', 'manifest.json'), 'utf8'))
  assert.match(manifest.model.fingerprint, /^sha256:/)

  await run('update-indices', 'dg_2')
  const answer = await search(text)
  assert.equal([answer.generation, answer.hits[0]?.id], ['dg_2', id])

  await run('rollback')
  const back = await search(text)
  assert.equal([back.generation, back.hits[0]?.id], ['dg_1', id])
})

test.run()
