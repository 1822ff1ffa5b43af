import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openInput } from '../../../lib/adapters/inputs/open-input.ts'
import { makeTempDir } from '../../support/temp.ts'

async function failureOf(path: string): Promise<{ kind: string; message: string }> {
  return openInput(path).then(
    () => assert.unreachable('it was accepted') as never,
    (error: { kind: string; message: string }) => error,
  )
}

test('tells a path where nothing lies as not found', async () => {
  assert.is((await failureOf('no/such/place')).kind, 'not-found')
})

test('lists the formats it looked for where none fits', async () => {
  const directory = makeTempDir()
  writeFileSync(join(directory, 'notes.csv'), 'hello')
  for (const path of [directory, join(directory, 'notes.csv')]) {
    const { kind, message } = await failureOf(path)
    assert.is(kind, 'usage')
    for (const format of ['manifest.json', 'clust_0/index', '_embeddings', 'items.jsonl', '.parquet']) {
      assert.ok(message.includes(format), format)
    }
  }
})

test('asks for one of several files that would do', async () => {
  const directory = makeTempDir()
  for (const name of ['a.jsonl', 'b.jsonl']) writeFileSync(join(directory, name), '{"text":"x"}\n')
  const { kind, message } = await failureOf(directory)
  assert.is(kind, 'usage')
  assert.match(message, 'holds a.jsonl, b.jsonl: name one of them')
})

test('finds the only file of a directory', async () => {
  const directory = makeTempDir()
  writeFileSync(join(directory, 'a.jsonl'), '{"text":"x"}\n')
  assert.is((await openInput(directory)).kind, 'JSONL')
})

test.run()
