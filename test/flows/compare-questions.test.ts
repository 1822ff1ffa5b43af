import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseProfile } from '../../lib/config/load.ts'
import { readQuestions } from '../../lib/flows/compare-questions.ts'
import { raised } from '../support/raised.ts'

const PROFILE = `
name: test
nodes: [{ name: n1 }]
model: { name: toy, version: "1", dimensions: 4, metric: cosine, normalized: true }
`
const QRELS = 'q1 0 a 2\nq1 0 b 0\nq2 0 c 1\n'
const QUERIES = '{"id":"q1","text":"first"}\n\n{"id":"q2","text":"second"}\n'

function read(files: Record<string, string>, settings = '') {
  const context = {
    profile: parseProfile(PROFILE + settings, 'test.yml'),
    inputs: {
      open: async () => assert.unreachable() as never,
      readText: async (path: string) => files[path] ?? '',
      readPairs: async () => [{ query: 'golden', id: 'g', line: 1 }],
    },
  }
  const asked = {
    qrels: 'qrels' in files ? 'qrels' : undefined,
    queries: 'queries' in files ? 'queries' : undefined,
  }
  return readQuestions(context, asked)
}

test('asks the golden pairs of the profile and the judged queries, each with what it should find', async () => {
  const questions = await read({ qrels: QRELS, queries: QUERIES }, 'split: { goldenPairs: pairs.jsonl }\n')
  assert.equal(
    questions.map(({ text, judgements }) => [text, [...judgements]]),
    [
      ['golden', [['g', 1]]],
      [
        'first',
        [
          ['a', 2],
          ['b', 0],
        ],
      ],
      ['second', [['c', 1]]],
    ],
  )
  assert.equal(await read({}), [])
})

test('refuses one file without the other, a judged query without a text, and lines that are no query', async () => {
  await raised('usage', read({ qrels: QRELS }))
  await raised('usage', read({ queries: QUERIES }))
  const missing = await raised('usage', read({ qrels: QRELS, queries: '{"id":"q1","text":"first"}\n' }))
  assert.match(missing.message, 'queries: has no query q2')
  for (const line of ['{"id":"q1"}', '{', '[]', 'null', '{"id":1,"text":"x"}']) {
    const error = await raised('usage', read({ qrels: QRELS, queries: `\n${line}\n` }))
    assert.match(error.message, 'queries:2: ')
  }
})

test.run()
