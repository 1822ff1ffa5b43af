import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openInput } from '../../../lib/adapters/inputs/open-input.ts'
import { readWhole } from '../../support/inputs.ts'
import { makeTempDir } from '../../support/temp.ts'

function writeLines(lines: readonly (object | string)[]): string {
  const path = join(makeTempDir(), 'items.jsonl')
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
  writeFileSync(path, text)
  return path
}

test('reads ids, texts, embeddings and metadata', async () => {
  const input = await openInput(
    writeLines([
      { id: 7, text: 'a', embedding: [0.5, 1], lang: 'en' },
      { id: 'b', embedding: [1, 2], tags: ['x'] },
    ]),
  )
  assert.is(input.dimensions, 2)
  const { items, vectors } = await readWhole(input)
  assert.equal(items, [
    { id: '7', text: 'a', lang: 'en' },
    { id: 'b', tags: ['x'] },
  ])
  assert.equal(vectors, [
    [0.5, 1],
    [1, 2],
  ])
  assert.is(input.rows, 2)
})

test('gives texts alone where no row has an embedding', async () => {
  const input = await openInput(writeLines([{ text: 'a' }, { text: 'b' }]))
  assert.is(input.dimensions, null)
  for await (const batch of input.read(new AbortController().signal)) {
    assert.is(batch.vectors, null)
    assert.is(batch.clusters, null)
    assert.equal(batch.items, [{ text: 'a' }, { text: 'b' }])
  }
})

test('rejects each bad row with its line and its reason, and keeps the rest', async () => {
  const input = await openInput(
    writeLines([
      { text: 'good', embedding: [1, 2] },
      '{"text": "cut',
      { text: 'none' },
      { text: 'short', embedding: [1] },
      '{"text": "nan", "embedding": [1, null]}',
      '{"text": "huge", "embedding": [1, 1e39]}',
      { text: 'words', embedding: ['1', 2] },
      { id: {}, embedding: [1, 2] },
      '[1, 2]',
      { text: 5, embedding: [1, 2] },
      { id: '', embedding: [1, 2] },
      '',
      { text: 'last', embedding: [3, 4] },
    ]),
  )
  const { items, vectors, rejects } = await readWhole(input)
  assert.equal(items, [{ text: 'good' }, { text: 'last' }])
  assert.equal(vectors[1], [3, 4])
  assert.match(rejects[0]!.reason, /^line 2: is no JSON/)
  assert.equal(
    rejects.slice(1).map(({ reason }) => reason),
    [
      'line 3: has no embedding',
      'line 4: embedding has 1 numbers, expected 2',
      'line 5: embedding[1] is not a number',
      'line 6: embedding[1] is not finite',
      'line 7: embedding[0] is not a number',
      'line 8: id is neither a text nor a number',
      'line 9: expected a JSON object',
      'line 10: text is no text',
      'line 11: id is empty',
    ],
  )
  assert.equal(
    rejects.map(({ row }) => row),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
})

test('rejects embeddings that begin after rows without any', async () => {
  const { rejects } = await readWhole(
    await openInput(writeLines([{ text: 'a' }, { text: 'b', embedding: [1] }])),
  )
  assert.equal(rejects, [{ row: 1, reason: 'line 2: has an embedding, but the first row has none' }])
})

test('keeps batches small, whatever the number of rows', async () => {
  const lines = Array.from({ length: 10_000 }, (_, id) => ({ id, embedding: [id] }))
  const sizes: number[] = []
  for await (const batch of (await openInput(writeLines(lines))).read(new AbortController().signal)) {
    sizes.push(batch.items.length)
    assert.is(batch.vectors!.length, batch.items.length)
  }
  assert.equal(sizes, [4096, 4096, 1808])
})

test.run()
