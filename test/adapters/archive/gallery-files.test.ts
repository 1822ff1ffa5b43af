import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { create } from 'tar'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createArchives } from '../../../lib/adapters/archive/archives.ts'
import { createGenerationStore } from '../../../lib/adapters/generations/store.ts'
import { openInput } from '../../../lib/adapters/inputs/open-input.ts'
import { renderGalleryList } from '../../../lib/domain/gallery-list.ts'
import { MANIFEST_FILE, type Manifest } from '../../../lib/domain/manifest.ts'
import { backup, restore } from '../../../lib/flows/backup.ts'
import type { InputSource } from '../../../lib/ports/input.ts'
import type { Reporter } from '../../../lib/ports/reporter.ts'
import { makeGeneration } from '../../support/generation.ts'
import { raised } from '../../support/raised.ts'
import { mountSmallDisk } from '../../support/small-disk.ts'
import { makeTempDir } from '../../support/temp.ts'

const SHA_OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const unused = () => Promise.reject(new Error('not asked for'))
const { signal } = new AbortController()
const inputs: InputSource = { open: (path) => openInput(path), readPairs: unused, readText: unused }
const reporter = { progress: () => undefined } as unknown as Reporter

type Kept = { root: string; photos: string; tar: string; manifest: Manifest; names: readonly string[] }

/** A generation whose items stand for files, and the directory of these. */
async function makeKept(): Promise<Kept> {
  const [root, photos] = [makeTempDir(), makeTempDir()]
  const nameOf = (index: number) => (index % 2 === 0 ? `a/b ${index % 20}.jpg` : `ü${index % 20}.png`)
  const manifest = await makeGeneration(root, { payload: (index) => ({ file: nameOf(index) }) })
  const names = Array.from({ length: 20 }, (_, index) => nameOf(index))
  for (const [index, name] of names.entries()) {
    mkdirSync(dirname(join(photos, name)), { recursive: true })
    writeFileSync(join(photos, name), Buffer.alloc(3000 * index, `photo ${index} `))
  }
  return { root, photos, tar: join(makeTempDir(), 'dg_1.tar'), manifest, names }
}

function contextOf(root: string) {
  const [archives, generations] = [createArchives(root), createGenerationStore(root)]
  return { archives, generations, inputs, reporter, signal, dryRun: false }
}

async function keep({ root, photos, tar }: Kept) {
  return await backup(contextOf(root), { generation: 'dg_1', to: tar, files: photos })
}

/** Restores into new directories; what stands there afterwards, with the error of a restore that fails. */
async function restoreAnew(tar: string, kind: 'corrupt' | 'remote') {
  const [root, place] = [makeTempDir(), makeTempDir()]
  const files = join(place, 'photos')
  const error = await raised(kind, restore(contextOf(root), { path: tar, files }))
  assert.equal([readdirSync(root), readdirSync(place)], [[], []])
  return error
}

test('gives back every byte of the files that items stand for', async () => {
  const kept = await makeKept()
  assert.is((await keep(kept)).json.files, 20)
  const context = contextOf(makeTempDir())
  const files = join(makeTempDir(), 'new', 'photos')
  const answer = await restore(context, { path: kept.tar, files })
  assert.equal([answer.outcome, answer.json.files], ['done', 20])
  assert.is((await context.generations.read('dg_1')).digest, kept.manifest.digest)
  assert.equal(
    readdirSync(files, { recursive: true }).sort(),
    readdirSync(kept.photos, { recursive: true }).sort(),
  )
  for (const name of kept.names) {
    assert.ok(readFileSync(join(files, name)).equals(readFileSync(join(kept.photos, name))), name)
  }
})

test('proves files that are left in the archive, and puts them back alone where the generation is there', async () => {
  const kept = await makeKept()
  await keep(kept)
  const context = contextOf(makeTempDir())
  assert.match((await restore(context, { path: kept.tar })).text, 'the 20 files of its items are sound')
  const files = join(makeTempDir(), 'photos')
  const again = await restore(context, { path: kept.tar, files })
  assert.equal([again.outcome, again.json.files, readdirSync(files).length], ['done', 20, 11])
  assert.is((await restore(context, { path: kept.tar, files })).outcome, 'nothing-to-do')
  for (const spoil of [
    () => writeFileSync(join(files, kept.names[1]!), 'x'),
    () => rmSync(join(files, 'a'), { recursive: true }),
  ]) {
    spoil()
    assert.match(
      (await raised('usage', restore(context, { path: kept.tar, files }))).message,
      'exists already',
    )
  }
  const other = contextOf(makeTempDir())
  await raised('usage', restore(other, { path: kept.tar, files }))
  assert.equal(await other.generations.list(), [])
})

test('says that the files of items are left out where nobody names their directory', async () => {
  const { root, tar } = await makeKept()
  const answer = await backup(contextOf(root), { generation: 'dg_1', to: tar })
  assert.match(answer.text, 'without the 20 files that these stand for')
  assert.is(answer.json.files, 0)
})

test('keeps a file that has two names under both', async () => {
  const kept = await makeKept()
  const [first = '', second = ''] = kept.names
  rmSync(join(kept.photos, second))
  writeFileSync(join(kept.photos, first), 'twice')
  linkSync(join(kept.photos, first), join(kept.photos, second))
  await keep(kept)
  const files = join(makeTempDir(), 'photos')
  await restore(contextOf(makeTempDir()), { path: kept.tar, files })
  assert.equal(
    [first, second].map((name) => readFileSync(join(files, name), 'utf8')),
    ['twice', 'twice'],
  )
})

test('writes no archive where files are missing, are links or lie behind one, or leave their directory', async () => {
  const kept = await makeKept()
  const [nested = '', plain = ''] = kept.names
  const refused = async (kind: 'usage' | 'not-found', message: RegExp) => {
    assert.match((await raised(kind, keep(kept))).message, message)
    assert.equal(readdirSync(dirname(kept.tar)), [])
  }
  rmSync(join(kept.photos, plain))
  await refused('not-found', /missing below .*: ü1\.png$/)
  symlinkSync('/etc/hostname', join(kept.photos, plain))
  await refused('usage', /ü1\.png: is a link/)
  rmSync(join(kept.photos, plain))
  writeFileSync(join(kept.photos, plain), '')
  const real = makeTempDir()
  for (const name of kept.names.filter((name) => name.startsWith('a/')))
    writeFileSync(join(real, name.slice(2)), '')
  rmSync(dirname(join(kept.photos, nested)), { recursive: true })
  symlinkSync(real, dirname(join(kept.photos, nested)))
  await refused('usage', /is a link or lies behind one/)
  const root = makeTempDir()
  await makeGeneration(root, { payload: () => ({ file: '../../etc/hostname' }) })
  await raised('usage', backup(contextOf(root), { generation: 'dg_1', to: kept.tar, files: kept.photos }))
  await raised('not-found', backup(contextOf(root), { generation: 'dg_1', to: kept.tar, files: '/no/such' }))
})

test('makes nothing of an archive with one byte of a file changed, or cut off within its files', async () => {
  const kept = await makeKept()
  await keep(kept)
  const whole = readFileSync(kept.tar)
  const flipped = Buffer.from(whole)
  flipped[whole.indexOf('photo 7 photo 7') + 500]! ^= 1
  writeFileSync(kept.tar, flipped)
  const error = await restoreAnew(kept.tar, 'corrupt')
  assert.match(error.message, /ü7\.png: SHA-256 is .*, the list of gallery files says/)
  for (const word of ['photo 1 photo', 'photo 19 photo', '"longshore-gallery/1"']) {
    writeFileSync(kept.tar, whole)
    truncateSync(kept.tar, whole.indexOf(word) + 20)
    await restoreAnew(kept.tar, 'corrupt')
  }
})

test('makes nothing of an archive whose list leads out of the directory, is of another generation, or lacks a file', async () => {
  const { root, photos, manifest, names } = await makeKept()
  const pack = async (digest: string, path: string, gallery: readonly string[]) => {
    const directory = makeTempDir()
    const list = renderGalleryList(digest, [{ path, bytes: 0, sha256: SHA_OF_NOTHING }])
    writeFileSync(join(root, 'dg_1', 'gallery.json'), list)
    mkdirSync(join(root, 'dg_1', 'gallery'), { recursive: true })
    for (const name of gallery) writeFileSync(join(root, 'dg_1', 'gallery', name), '')
    const files = [MANIFEST_FILE, 'gallery.json', ...manifest.files.map((file) => file.path)]
    const file = join(directory, 'x.tar')
    await create({ file, cwd: join(root, 'dg_1'), noDirRecurse: true, preservePaths: true }, [
      ...files,
      ...gallery.map((name) => `gallery/${name}`),
    ])
    return file
  }
  assert.ok(photos && names.length > 0)
  const { digest } = manifest
  const wrong = [
    [await pack(digest, '../evil', ['../evil']), /files\[0\]: expected a path below/],
    [await pack(digest, '/evil', ['evil']), /files\[0\]: expected a path below/],
    [await pack('sha256:0', 'good', ['good']), /is of sha256:0, expected/],
    [await pack(digest, 'good', []), /lacks gallery\/good/],
    [await pack(digest, 'good', ['good', 'other']), /gallery\/other \(File\) is not what its lists tell/],
  ] as const
  for (const [path, message] of wrong) assert.match((await restoreAnew(path, 'corrupt')).message, message)
})

test('says that the disk is full, and leaves nothing of generation and files', async () => {
  const kept = await makeKept()
  await keep(kept)
  const disk = join(makeTempDir(), 'disk')
  const small = mountSmallDisk(disk, 256 << 10)
  try {
    const root = makeTempDir()
    const restored = restore(contextOf(root), { path: kept.tar, files: join(disk, 'photos') })
    assert.match((await raised('remote', restored)).message, 'no space left')
    assert.equal([readdirSync(root), readdirSync(disk)], [[], []])
    await raised('remote', keep({ ...kept, tar: join(disk, 'kept.tar') }))
    assert.equal(readdirSync(disk), [])
  } finally {
    small.unmount()
  }
})

test.run()
