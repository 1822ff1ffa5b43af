import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createGenerationSearch } from '../../lib/adapters/generations/search-whole.ts'
import { parseProfile } from '../../lib/config/load.ts'
import type { DeclaredModel } from '../../lib/config/models.ts'
import { embedLexical } from '../../lib/domain/lexical.ts'
import { idOf } from '../../lib/domain/text-hash.ts'
import { type CompareContext, compareGenerations, type Question } from '../../lib/flows/compare.ts'
import { makeGeneration, makeModel } from '../support/generation.ts'
import { makeQuestions } from '../support/questions.ts'
import { makeTempDir } from '../support/temp.ts'

const texts = makeQuestions('item', 120).map(({ text }) => text)
const root = makeTempDir()
const asked: string[] = []
const embedderOf = async ({ model }: Pick<DeclaredModel, 'model'>) => ({
  async embed(batch: readonly string[]) {
    asked.push(`${model.dimensions}`)
    return embedLexical(batch, model.dimensions)
  },
})
const context: CompareContext = {
  profile: parseProfile(
    `
name: test
nodes: [{ name: n1 }]
model: { name: lexical-hash, version: "1", dimensions: 4, metric: cosine, normalized: true }
models: [{ name: lexical-hash, version: "2", dimensions: 128, metric: cosine, normalized: true }]
`,
    'test.yml',
  ),
  generationSearch: createGenerationSearch(root),
  embedder: { embed: async () => assert.unreachable() as never },
  embedderOf,
  signal: new AbortController().signal,
}
const fine = () => {
  const { extraction: _extraction, ...model } = context.profile.models[0]!
  return makeGeneration(root, { name: 'dg_2', texts, model })
}
const coarse = () => makeGeneration(root, { name: 'dg_1', texts, model: makeModel(4) })

/** Each text without its beginning shall find its own item. */
const questions: Question[] = texts
  .slice(0, 30)
  .map((text) => ({ text: text.split(' ').slice(3).join(' '), judgements: new Map([[idOf(text), 1]]) }))

test('asks each generation under its own model, and finds the better one better', async () => {
  const [before, after] = [await coarse(), await fine()]
  const comparison = await compareGenerations(context, { before, after, questions })
  assert.equal(asked, ['4', '128'])
  assert.is(comparison.judged, 30)
  const { quality, drift } = comparison
  assert.ok(quality!.after.ndcg.low > quality!.before.ndcg.high, JSON.stringify(quality))
  assert.ok(drift!.queries > 10 && drift!.overlap > 0 && drift!.overlap < 1)
})

test('finds no difference between a generation and itself', async () => {
  const before = await coarse()
  const { quality, drift } = await compareGenerations(context, { before, after: before, questions })
  assert.equal(quality!.after, quality!.before)
  assert.equal([drift!.overlap, drift!.tau], [1, 1])
  assert.ok(Math.abs(drift!.rbo - 1) < 1e-9)
})

test('tells what thresholds keep of judged answers, each under its own model', async () => {
  const [before, after] = [await coarse(), await fine()]
  const threshold = { before: { score: -2, falseMatches: 1 }, after: { score: 2, falseMatches: 0 } }
  const { kept, quality } = await compareGenerations(context, { before, after, questions, threshold })
  assert.ok(Math.abs(kept!.before.recall - quality!.before.recall.mean) < 1e-9)
  assert.equal(kept!.after, { precision: 1, recall: 0 })
  assert.is((await compareGenerations(context, { before, after, questions: [], threshold })).kept, undefined)
})

test('tells drift alone where nothing is judged', async () => {
  const [before, after] = [await coarse(), await fine()]
  const comparison = await compareGenerations(context, { before, after, questions: [] })
  assert.is(comparison.judged, 0)
  assert.is(comparison.quality, undefined)
  assert.ok(comparison.drift)
})

test.run()
