import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeRowGeneration, seedRows } from '../../../bench/delta/row-generation.ts'
import { makePatch } from '../../../lib/adapters/delta/make-patch.ts'
import type { Manifest } from '../../../lib/domain/manifest.ts'
import { mountSmallDisk } from '../../support/small-disk.ts'
import { makeTempDir } from '../../support/temp.ts'
import { type Bundle, makeBundle } from './bundle.ts'
import { startRelay } from './relay-process.ts'

const PATCH = '.patch-0123456789abcdef'
const numbers = (count: number, first = 0) => Array.from({ length: count }, (_, index) => first + index)

/** A node that holds dg_6, and the patch that makes dg_7 of it, as files to bring. */
async function makeNode(
  directory = makeTempDir(),
): Promise<{ directory: string; manifest: Manifest; bundle: Bundle }> {
  const control = makeTempDir()
  const base = makeRowGeneration(directory, {
    name: 'dg_6',
    dimensions: 8,
    clusters: [seedRows(numbers(400)), seedRows(numbers(300, 1000))],
  })
  const manifest = makeRowGeneration(control, {
    name: 'dg_7',
    dimensions: 8,
    clusters: [seedRows([...numbers(400), 5000]), seedRows(numbers(290, 1000))],
  })
  const target = join(control, PATCH)
  await makePatch({
    directory: join(control, 'dg_7'),
    manifest,
    baseDirectory: join(directory, 'dg_6'),
    baseManifest: base,
    target,
    signal: new AbortController().signal,
  })
  return { directory, manifest, bundle: { ...makeBundleOf(target), generation: 'dg_7' } }
}

function makeBundleOf(path: string): Bundle {
  const contents = readFileSync(path)
  const bundle = makeBundle({ [PATCH]: contents.length }, contents.length)
  const sha256 = hash('sha256', contents)
  const files = [{ path: PATCH, bytes: contents.length, sha256 }]
  return { ...bundle, files, contents: [contents], sums: [sha256], bytesOf: () => contents }
}

/** A relay that has brought the patch and was told to use it. */
async function startRebuild({ directory, manifest, bundle }: Awaited<ReturnType<typeof makeNode>>) {
  const relay = startRelay(directory)
  await relay.begin(bundle)
  relay.put(bundle, 0)
  await relay.hear('whole')
  relay.order({ do: 'rebuild', base: 'dg_6', patch: PATCH }, Buffer.from(JSON.stringify(manifest)))
  return relay
}

test('puts a generation together from one that is held and a patch that was brought', async () => {
  const node = await makeNode()
  const relay = await startRebuild(node)
  const [rebuilt] = await relay.hear('rebuilt')
  assert.equal(
    rebuilt!.files.filter(({ problem }) => problem !== null),
    [],
  )
  assert.is(rebuilt!.files.length, node.manifest.files.length)
  for (const { path, sha256 } of node.manifest.files) {
    assert.is(hash('sha256', readFileSync(join(node.directory, '.dg_7.partial', path))), sha256, path)
  }
  relay.order({ do: 'end' })
  assert.equal(await relay.ended(), { code: 0, stderr: '' })
})

test('says of every file what is wrong when the generation to begin with is gone, and goes on', async () => {
  const node = await makeNode()
  await rm(join(node.directory, 'dg_6'), { recursive: true })
  const relay = await startRebuild(node)
  const [rebuilt] = await relay.hear('rebuilt')
  assert.is(rebuilt!.files.length, node.manifest.files.length)
  for (const { problem } of rebuilt!.files) assert.match(problem!, 'manifest.json: cannot be read')
  // The same relay brings the files whole.
  const whole = makeBundle({ 'golden.json': 100 }, 100)
  await relay.begin(whole)
  relay.put(whole, 0)
  await relay.hear('whole', 2)
  relay.order({ do: 'end' })
  assert.is((await relay.ended()).code, 0)
})

test('says that there is no room for what it is to make, and leaves what is served', async () => {
  const directory = join(makeTempDir(), 'small')
  const disk = mountSmallDisk(directory, 180 * 1024)
  try {
    const relay = await startRebuild(await makeNode(directory))
    const [broken] = await relay.hear('broken')
    assert.match(broken!.problem, 'no room: ')
    assert.is(broken!.code, 'ENOSPC')
    assert.is((await relay.ended()).code, 30)
    assert.equal(readdirSync(directory), ['dg_6'])
  } finally {
    disk.unmount()
  }
})

test('begins with no directory that is no generation, and reads no patch from elsewhere', async () => {
  const node = await makeNode()
  for (const names of [
    { base: '../dg_6', patch: PATCH },
    { base: 'dg_6', patch: '../../patch' },
    { base: 'dg_6', patch: 'golden.json' },
  ]) {
    const relay = startRelay(node.directory)
    await relay.begin(node.bundle)
    relay.order({ do: 'rebuild', ...names }, Buffer.from(JSON.stringify(node.manifest)))
    const [broken] = await relay.hear('broken')
    assert.match(broken!.problem, 'are no names of a generation and a patch')
    assert.is((await relay.ended()).code, 2)
  }
})

test.run()
