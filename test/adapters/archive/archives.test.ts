import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { create } from 'tar'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createArchives } from '../../../lib/adapters/archive/archives.ts'
import { createGenerationStore } from '../../../lib/adapters/generations/store.ts'
import { openInput } from '../../../lib/adapters/inputs/open-input.ts'
import { MANIFEST_FILE, type Manifest } from '../../../lib/domain/manifest.ts'
import { backup, restore } from '../../../lib/flows/backup.ts'
import type { InputSource } from '../../../lib/ports/input.ts'
import type { Reporter } from '../../../lib/ports/reporter.ts'
import { makeGeneration } from '../../support/generation.ts'
import { raised } from '../../support/raised.ts'
import { mountSmallDisk } from '../../support/small-disk.ts'
import { makeTempDir } from '../../support/temp.ts'

const signal = new AbortController().signal
const carried = { signal, onBytes: () => undefined }

/** A generation, and its archive beside it. */
async function archive(): Promise<{ root: string; path: string; manifest: Manifest }> {
  const root = makeTempDir()
  const manifest = await makeGeneration(root)
  const path = join(makeTempDir(), 'dg_1.tar')
  await createArchives(root).write(manifest, path, carried)
  return { root, path, manifest }
}

const unused = () => Promise.reject(new Error('not asked for'))

function contextOf(root: string) {
  const done: number[] = []
  const reporter = {
    progress: (progress: { done: number }) => done.push(progress.done),
  } as unknown as Reporter
  const [archives, generations] = [createArchives(root), createGenerationStore(root)]
  const inputs: InputSource = { open: (path) => openInput(path), readPairs: unused, readText: unused }
  return { context: { archives, generations, inputs, reporter, signal, dryRun: false }, done }
}

/** A tar file of these files of a directory, as somebody else may have made it. */
async function pack(directory: string, files: string[]): Promise<string> {
  const path = join(makeTempDir(), 'other.tar')
  await create({ file: path, cwd: directory, noDirRecurse: true, preservePaths: true }, files)
  return path
}

test('gives back every byte of a generation', async () => {
  const { root, path, manifest } = await archive()
  const { context, done } = contextOf(makeTempDir())
  const answer = await restore(context, { path })
  assert.is(answer.outcome, 'done')
  assert.is(answer.json.digest, manifest.digest)
  for (const file of [MANIFEST_FILE, ...manifest.files.map((entry) => entry.path)]) {
    const restored = readFileSync(join(context.generations.locate('dg_1'), file))
    assert.ok(restored.equals(readFileSync(join(root, 'dg_1', file))), file)
  }
  assert.ok(done.length > 0)
  assert.is((await restore(context, { path })).outcome, 'nothing-to-do')
})

test('backs up the newest generation, and never writes over a file', async () => {
  const { root } = await archive()
  await makeGeneration(root, { name: 'dg_2', texts: ['one', 'two', 'three', 'four'] })
  const to = join(makeTempDir(), 'kept.tar')
  const { context } = contextOf(root)
  const answer = await backup(context, { generation: undefined, to })
  assert.is(answer.json.generation, 'dg_2')
  const before = readFileSync(to)
  const error = await raised('usage', backup(context, { generation: 'dg_1', to }))
  assert.match(error.message, /exists already/)
  assert.ok(before.equals(readFileSync(to)))
})

test('refuses to restore over another generation of that name', async () => {
  const { path } = await archive()
  const root = makeTempDir()
  const other = await makeGeneration(root, { texts: ['one', 'two', 'three', 'four'] })
  const { context } = contextOf(root)
  assert.match((await raised('usage', restore(context, { path }))).message, /is another one/)
  assert.is((await context.generations.read('dg_1')).digest, other.digest)
})

test('refuses to keep a generation that differs from its manifest', async () => {
  const root = makeTempDir()
  const manifest = await makeGeneration(root)
  const file = join(root, 'dg_1', 'clust_0/vectors.npy')
  const bytes = readFileSync(file)
  bytes[200]! ^= 1
  writeFileSync(file, bytes)
  const to = join(makeTempDir(), 'kept.tar')
  const error = await raised('corrupt', createArchives(root).write(manifest, to, carried))
  assert.match(error.message, /clust_0\/vectors\.npy: SHA-256 is/)
  assert.not.ok(existsSync(to))
})

test('makes nothing of an archive with one byte changed', async () => {
  const { path, manifest } = await archive()
  const bytes = readFileSync(path)
  bytes[bytes.indexOf('NUMPY') + 500]! ^= 1
  writeFileSync(path, bytes)
  const { context } = contextOf(makeTempDir())
  const error = await raised('corrupt', restore(context, { path }))
  assert.match(error.message, /SHA-256 is .*, its manifest says/)
  assert.equal(await context.generations.list(), [])
  assert.ok(manifest.files.length > 0)
})

for (const share of [0.3, 0.6, 0.9]) {
  test(`makes nothing of an archive cut off at ${share} of its length`, async () => {
    const { path } = await archive()
    truncateSync(path, Math.floor(readFileSync(path).length * share))
    const root = makeTempDir()
    await raised('corrupt', restore(contextOf(root).context, { path }))
    assert.equal(readdirSync(root), [])
  })
}

test('makes nothing of an archive with a link, with a file that its manifest does not know, or without a manifest', async () => {
  const { root, manifest } = await archive()
  const directory = join(root, 'dg_1')
  const files = manifest.files.map((file) => file.path)
  writeFileSync(join(root, 'outside'), 'x')
  await mkdir(join(directory, 'links'))
  await symlink('/etc/passwd', join(directory, 'links/a'))
  const wrong = [
    [await pack(directory, [MANIFEST_FILE, ...files, 'links/a']), /links\/a \(SymbolicLink\) is not what/],
    [await pack(directory, [MANIFEST_FILE, ...files, '../outside']), /\.\.\/outside \(File\) is not what/],
    [await pack(directory, [MANIFEST_FILE, ...files, files[0]!]), /is not what its manifest tells/],
    [await pack(directory, [MANIFEST_FILE, ...files.slice(1)]), /lacks centroids\.npy/],
    [await pack(directory, files), /begins with centroids\.npy, expected manifest\.json/],
  ] as const
  for (const [path, message] of wrong) {
    const target = makeTempDir()
    assert.match((await raised('corrupt', restore(contextOf(target).context, { path }))).message, message)
    assert.equal(readdirSync(target), [])
  }
})

test('says what is no archive at all', async () => {
  const path = join(makeTempDir(), 'x.tar')
  const { context } = contextOf(makeTempDir())
  await raised('not-found', restore(context, { path }))
  writeFileSync(path, 'hello')
  await raised('corrupt', restore(context, { path }))
  writeFileSync(path, '')
  await raised('corrupt', restore(context, { path }))
})

test('says that the disk is full, and leaves nothing', async () => {
  const { path, manifest } = await archive()
  const root = join(makeTempDir(), 'disk')
  const disk = mountSmallDisk(root, 64 << 10)
  try {
    const error = await raised('remote', restore(contextOf(root).context, { path }))
    assert.match(error.message, /no space left/)
    assert.equal(readdirSync(root), [])
    const source = makeTempDir()
    await makeGeneration(source)
    await raised('remote', createArchives(source).write(manifest, join(root, 'kept.tar'), carried))
    assert.equal(readdirSync(root), [])
  } finally {
    disk.unmount()
  }
})

test.run()
