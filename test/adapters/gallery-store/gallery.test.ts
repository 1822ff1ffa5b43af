import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SqliteGallery } from '../../../lib/adapters/gallery-store/gallery.ts'
import { GalleryInput } from '../../../lib/adapters/gallery-store/input.ts'
import { createGalleryStore } from '../../../lib/adapters/gallery-store/store.ts'
import { hashTextContent } from '../../../lib/domain/content.ts'
import { readGalleryRevision } from '../../../lib/domain/gallery-revision.ts'
import type { GalleryItem } from '../../../lib/ports/gallery-store.ts'
import type { Input, SourceItem } from '../../../lib/ports/input.ts'
import { rejectsWith } from '../../support/errors.ts'
import { mountSmallDisk } from '../../support/small-disk.ts'
import { makeTempDir } from '../../support/temp.ts'

test('holds each id once, as it was sent last, whichever sending arrives first', async () => {
  const { gallery, places } = openNew()
  assert.equal(states(await gallery.add([make('a', 2, 'new'), make('b', 1, 'other')])), ['added', 'added'])
  assert.equal(states(await gallery.add([make('a', 1, 'old')])), ['outdated'])
  assert.equal(states(await gallery.add([make('a', 3, 'newest'), make('b', 4, 'other')])), [
    'replaced',
    'repeated',
  ])
  assert.equal(await readTexts(new GalleryInput(places)), { a: 'newest', b: 'other' })
  await gallery.close()
})

test('knows an item of another shape under the same text as changed', async () => {
  const { gallery } = openNew()
  await gallery.add([make('a', 1, 'text')])
  const changed = { ...make('a', 2, 'text'), item: { id: 'a', text: 'text', colour: 'red' } }
  assert.equal(states(await gallery.add([changed])), ['replaced'])
  await gallery.close()
})

test('counts an item that is sent again as it is as the last sending, so that an older one cannot follow', async () => {
  const { gallery, places } = openNew()
  await gallery.add([make('a', 1, 'first')])
  // Sent as something else, which is still on its way, and then again as it was.
  assert.equal(await gallery.confirm([make('a', 3, 'first'), make('b', 4, 'first')]), [true, false])
  assert.equal(states(await gallery.add([make('a', 2, 'second')])), ['outdated'])
  assert.equal(await readTexts(new GalleryInput(places)), { a: 'first' })
  await gallery.close()
})

test('takes items out, with every earlier sending of them, until they are sent anew', async () => {
  const { gallery, places } = openNew()
  await gallery.add([make('a', 1, 'text'), make('b', 2, 'text')])
  assert.is(await gallery.remove(['a', 'never'], 4), 1)
  assert.is(await gallery.remove(['a'], 5), 0)
  assert.equal(states(await gallery.add([make('a', 3, 'late'), make('never', 3, 'late')])), [
    'outdated',
    'outdated',
  ])
  assert.equal(await readTexts(new GalleryInput(places)), { b: 'text' })
  assert.equal(states(await gallery.add([make('a', 6, 'again')])), ['added'])
  assert.equal((await gallery.summarize()).items, 2)
  await gallery.close()
})

test('tells which other item has the same content, also when another worker added it', async () => {
  const { gallery, places } = openNew()
  const other = new SqliteGallery(places)
  await gallery.add([make('a', 1, 'same')])
  assert.equal(
    (await other.add([make('b', 2, 'same'), make('c', 3, 'different')])).map(({ sameAs }) => sameAs),
    ['a', undefined],
  )
  await other.close()
  await gallery.close()
})

test('gives out no version twice, to however many', async () => {
  const { gallery, places } = openNew()
  const other = new SqliteGallery(places)
  const first = [
    await gallery.reserveVersions(5),
    await other.reserveVersions(2),
    await gallery.reserveVersions(1),
  ]
  assert.equal(first, [1, 6, 8])
  await other.close()
  await gallery.close()
})

test('has another revision after every change, and none after what changes nothing', async () => {
  const { gallery, places } = openNew()
  const revision = () => readGalleryRevision({ kind: `${new GalleryInput(places).kind}, re-embedded` })
  assert.is(revision(), 0)
  await gallery.add([make('a', 7, 'text')])
  const before = revision()!
  await gallery.add([make('a', 8, 'text'), make('a', 3, 'late')])
  await gallery.confirm([make('a', 9, 'text')])
  assert.is(revision(), before)
  // An older version than another that is there already: what counts is when it came in.
  await gallery.add([make('b', 2, 'slow')])
  assert.ok(revision()! > before)
  assert.equal(await gallery.findOldestAfter(before), { sentAt: 1002, changes: 1 })
  await gallery.remove(['a'], 10)
  assert.is((await gallery.findOldestAfter(before))!.changes, 2)
  assert.is(await gallery.findOldestAfter(revision()!), undefined)
  await gallery.close()
})

test('reads the same again and again, in the order of ids, whatever is added meanwhile', async () => {
  const { gallery, places } = openNew()
  await gallery.add(['c', 'a', 'b'].map((id, index) => make(id, index + 1, `text ${id}`)))
  const input = new GalleryInput(places)
  await gallery.add([make('d', 9, 'more'), make('a', 10, 'changed')])
  await gallery.remove(['b'], 11)
  for (const _ of [1, 2]) {
    assert.equal(Object.entries(await readTexts(input)), [
      ['a', 'text a'],
      ['b', 'text b'],
      ['c', 'text c'],
    ])
  }
  assert.is(input.rows, 3)
  assert.equal(Object.keys(await readTexts(new GalleryInput(places))), ['a', 'c', 'd'])
  await gallery.close()
})

test('keeps files by their names', async () => {
  const { gallery, places } = openNew()
  await gallery.keepFile('0a.png', Buffer.from('picture'))
  await gallery.keepFile('0a.png', Buffer.from('picture'))
  assert.is(readFileSync(join(places.files, '0a.png'), 'utf8'), 'picture')
  await gallery.close()
})

test('says that the disk is full, and holds what it held', async () => {
  const directory = join(makeTempDir(), 'disk')
  const disk = mountSmallDisk(directory, 400_000)
  try {
    const places = { path: join(directory, 'gallery.sqlite'), files: join(directory, 'files') }
    const gallery = new SqliteGallery(places)
    await gallery.add([make('a', 1, 'kept')])
    const many = Array.from({ length: 200 }, (_, index) => make(`m${index}`, 2, 'x'.repeat(5000)))
    await rejectsWith(gallery.add(many), 'remote', /no space left/)
    assert.is((await gallery.summarize()).items, 1)
    disk.resize(8_000_000)
    await gallery.add(many)
    assert.is((await gallery.summarize()).items, 201)
    await gallery.close()
  } finally {
    disk.unmount()
  }
})

test('says where there is no gallery yet', async () => {
  const store = createGalleryStore(makeTempDir())
  assert.not.ok(await store.exists())
  await rejectsWith(store.read(), 'not-found', /there is no gallery yet/)
})

test.run()

function openNew() {
  const directory = makeTempDir()
  const places = { path: join(directory, 'gallery.sqlite'), files: join(directory, 'files') }
  return { gallery: new SqliteGallery(places), places }
}

function make(id: string, version: number, text: string): GalleryItem {
  return { id, version, item: { id, text }, content: hashTextContent(text), sentAt: 1000 + version }
}

function states(additions: readonly { readonly state: string }[]): string[] {
  return additions.map(({ state }) => state)
}

async function readTexts(input: Input): Promise<Record<string, string>> {
  const texts: Record<string, string> = {}
  for await (const { items } of input.read(new AbortController().signal)) {
    for (const { id, text } of items as readonly SourceItem[]) texts[id!] = text!
  }
  return texts
}
