import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { renderNpyHeader } from '../../../lib/adapters/files/npy.ts'
import { openInput } from '../../../lib/adapters/inputs/open-input.ts'
import { fixturePath, readExpected, readWhole } from '../../support/inputs.ts'
import { makeTempDir } from '../../support/temp.ts'

const { texts, rows } = readExpected()

function writeNpyInput(
  lines = texts.map((text, row) => JSON.stringify({ id: row, text, topic: row % 7 })),
): string {
  const directory = makeTempDir()
  cpSync(fixturePath('pickles/rows.npy'), join(directory, 'embeddings.npy'))
  writeFileSync(join(directory, 'items.jsonl'), `${lines.join('\n')}\n`)
  return directory
}

function addClusters(directory: string, clusters: Int32Array): void {
  const header = renderNpyHeader('<i4', [clusters.length])
  writeFileSync(join(directory, 'clusters.npy'), Buffer.concat([header, Buffer.from(clusters.buffer)]))
  cpSync(fixturePath('split/clust_centers.npy'), join(directory, 'centroids.npy'))
}

async function failureOf(path: string): Promise<{ kind: string; message: string }> {
  try {
    await readWhole(await openInput(path))
  } catch (error) {
    return error as { kind: string; message: string }
  }
  return assert.unreachable('it was accepted') as never
}

test('pairs each row with the item in the same line, numbers as ids in decimals', async () => {
  const directory = writeNpyInput()
  for (const path of [directory, join(directory, 'embeddings.npy')]) {
    const input = await openInput(path)
    assert.is(input.clusters, null)
    assert.is(input.rows, 60)
    const { items, vectors, rejects } = await readWhole(input)
    assert.equal(items[8], { id: '8', text: texts[8], topic: 1 })
    assert.equal(
      vectors,
      rows.map((row) => [...row]),
    )
    assert.equal(rejects, [])
  }
})

test('takes clusters and centroids that lie beside', async () => {
  const directory = writeNpyInput()
  addClusters(
    directory,
    Int32Array.from(rows, (_, row) => (row === 5 ? 9 : row % 3)),
  )
  const input = await openInput(directory)
  assert.equal(input.clusters!.ids, [0, 1, 2])
  const { clusters, rejects } = await readWhole(input)
  assert.is(clusters.length, 59)
  assert.equal(rejects, [{ row: 5, reason: 'cluster 9 has no centroid' }])
})

test('rejects an item that cannot be read, with its row and line, and keeps the others in step', async () => {
  const lines = texts.map((text) => JSON.stringify({ text }))
  lines[4] = '{"text": 7}'
  lines[6] = 'nonsense'
  const { items, vectors, rejects } = await readWhole(await openInput(writeNpyInput(lines)))
  assert.equal(
    rejects.map(({ row }) => row),
    [4, 6],
  )
  assert.is(rejects[0]!.reason, 'items.jsonl, line 5: text is no text')
  assert.match(rejects[1]!.reason, 'items.jsonl, line 7: is no JSON')
  assert.is(items[4]!.text, texts[5])
  assert.equal(vectors[4], [...rows[5]!])
})

test('refuses items, clusters and vectors that are out of step, and names a missing file', async () => {
  const lines = texts.map((text) => JSON.stringify({ text }))
  assert.match((await failureOf(writeNpyInput(lines.slice(1)))).message, 'has 59 items, but')
  assert.match((await failureOf(writeNpyInput([...lines, '{}']))).message, 'has more than 60 items, but')
  const uneven = writeNpyInput()
  addClusters(uneven, new Int32Array(59))
  assert.match((await failureOf(uneven)).message, 'has 59 numbers, but')
  rmSync(join(uneven, 'centroids.npy'))
  assert.is((await failureOf(uneven)).kind, 'not-found')
  const bare = writeNpyInput()
  rmSync(join(bare, 'items.jsonl'))
  const { kind, message } = await failureOf(bare)
  assert.is(kind, 'not-found')
  assert.match(message, /items\.jsonl: no such file/)
})

test.run()
