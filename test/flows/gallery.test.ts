import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Content, hashContent } from '../../lib/domain/content.ts'
import { findMissing, type Gallery, joinLedger, type Tally } from '../../lib/flows/gallery.ts'
import type { SourceItem } from '../../lib/ports/input.ts'
import { FakeLedger } from '../support/fakes/ledger.ts'
import { readWhole } from '../support/inputs.ts'
import { raised } from '../support/raised.ts'
import { makeInput } from '../support/split.ts'

const NEVER = new AbortController().signal
const text = (value: string): Content => ({ kind: 'text', text: value })
const image = (bytes: string): Content => ({
  kind: 'image',
  bytes: Buffer.from(bytes),
  mediaType: 'image/png',
})

/** Items in batches of two, and files by their paths. */
function makeGallery(items: readonly SourceItem[], files: Record<string, string | string[]> = {}): Gallery {
  const read = async (_root: string, path: string) => {
    const found = files[path] ?? ''
    return Buffer.from(typeof found === 'string' ? found : (found.shift() ?? ''))
  }
  return { input: makeInput({ items, vectors: null }, 2), files: { read }, root: '/items' }
}

/** A ledger that holds [length, 1] for each of these contents. */
async function makeLedger(contents: readonly Content[]): Promise<FakeLedger> {
  const ledger = new FakeLedger(2)
  for (const [index, content] of contents.entries()) {
    await ledger.append(hashContent(content), Float32Array.of(index, 1))
  }
  return ledger
}

async function collect(gallery: Gallery, ledger: FakeLedger) {
  const tally: Tally = { items: 0, embedded: 0, dead: 0, repeated: 0, lacking: 0 }
  const missing: Content[] = []
  for await (const { content, hash } of findMissing(gallery, ledger, { tally, signal: NEVER })) {
    assert.is(Buffer.compare(hash, hashContent(content)), 0)
    missing.push(content)
  }
  return { missing, tally }
}

test('gives each content once that the ledger does not know, whatever its items are called', async () => {
  const ledger = await makeLedger([text('known')])
  await ledger.bury(hashContent(text('poison')), 'too long')
  const items = ['known', 'new', 'poison', 'new', 'newer'].map((value, index) => ({
    id: `${index}`,
    text: value,
  }))
  const { missing, tally } = await collect(makeGallery([...items, { id: 'empty', text: '' }]), ledger)
  assert.equal(missing, [text('new'), text('newer')])
  assert.equal(tally, { items: 6, embedded: 1, dead: 1, repeated: 1, lacking: 1 })
})

test('takes an image by its bytes, and tells it from a text of the same bytes', async () => {
  const gallery = makeGallery(
    [{ file: 'a.png' }, { file: 'b.png' }, { text: 'same' }, { file: 'notes.csv' }],
    {
      'a.png': 'same',
      'b.png': 'same',
    },
  )
  const { missing, tally } = await collect(gallery, await makeLedger([]))
  assert.equal(missing, [image('same'), text('same')])
  assert.equal(tally, { items: 4, embedded: 0, dead: 0, repeated: 1, lacking: 1 })
})

test('embeds the text of an item that has a file too', async () => {
  const { missing } = await collect(makeGallery([{ text: 'caption', file: 'a.png' }]), await makeLedger([]))
  assert.equal(missing, [text('caption')])
})

test('stops where a file changes between its hash and its use', async () => {
  const gallery = makeGallery([{ file: 'a.png' }], { 'a.png': ['before', 'after'] })
  const error = await raised('corrupt', collect(gallery, await makeLedger([])))
  assert.match(error.message, 'a.png: changed')
})

test('asks for the directory of files where nothing says it', async () => {
  const gallery = { ...makeGallery([{ file: 'a.png' }]), root: undefined }
  const error = await raised('usage', collect(gallery, await makeLedger([])))
  assert.match(error.hint ?? '', '--files')
})

test('joins every item with the embedding of its content, in the order of the input', async () => {
  const ledger = await makeLedger([text('a'), text('b'), image('c')])
  const items = [
    { id: '1', text: 'b' },
    { id: '2', file: 'c.png' },
    { id: '3', text: 'a' },
    { id: '4', text: 'b' },
  ]
  const input = joinLedger(makeGallery(items, { 'c.png': 'c' }), ledger, 2)
  assert.equal(
    [input.kind, input.rows, input.dimensions, input.clusters],
    ['memory, re-embedded', 4, 2, null],
  )
  const whole = await readWhole(input)
  assert.equal(whole.items, items)
  assert.equal(whole.vectors, [
    [1, 1],
    [2, 1],
    [0, 1],
    [1, 1],
  ])
  assert.equal(await readWhole(input), whole)
})

test('rejects items without an embedding with the reason, and keeps the others in step', async () => {
  const ledger = await makeLedger([text('a'), text('b')])
  await ledger.bury(hashContent(text('poison')), 'longer than 512 tokens')
  const items = [
    { id: '1', text: 'poison' },
    { id: '2', text: 'b' },
    { text: '', lang: 'en' },
    { id: '4', text: 'a' },
  ]
  const { items: kept, vectors, rejects } = await readWhole(joinLedger(makeGallery(items), ledger, 2))
  assert.equal(kept, [items[1], items[3]])
  assert.equal(vectors, [
    [1, 1],
    [0, 1],
  ])
  assert.equal(rejects, [
    { row: '1', reason: 'the model does not embed it: longer than 512 tokens' },
    { row: '', reason: 'has neither a text nor a file' },
  ])
})

test('does not make up an embedding for a content that came after it was looked for', async () => {
  await raised('not-found', readWhole(joinLedger(makeGallery([{ text: 'late' }]), await makeLedger([]), 2)))
})

test.run()
