import { readdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { preparePartial, type Task } from '../../../services/relay/partial-directory.ts'
import { raised } from '../../support/raised.ts'
import { makeTempDir } from '../../support/temp.ts'
import { makeBundle } from './bundle.ts'

const [file] = makeBundle({ 'clust_0/vectors.npy': 300 }, 100).files
const TASK: Task = { generation: 'dg_7', files: [file!], pieceBytes: 100 }

const refuse = async (directory: string, change: object) =>
  (await raised('usage', preparePartial(directory, { ...TASK, ...change }))).message

test('takes no name for a generation that leads elsewhere', async () => {
  const directory = makeTempDir()
  for (const generation of ['../dg_7', 'dg_7/..', '.', '', 'dg_07', 'data', '/dg_7', 'dg_7\n', 7]) {
    assert.match(await refuse(directory, { generation }), 'no generation name', String(generation))
  }
  assert.equal(await readdir(directory), [])
})

test('takes no path that leads out of a generation, or that it has its own use for', async () => {
  const directory = makeTempDir()
  const leading = [
    '../x',
    '/etc/x',
    'a/../../x',
    'a/b/c',
    '.',
    '..',
    '',
    'a//b',
    'a\\..\\x',
    'a\0',
    undefined,
  ]
  const own = ['.hidden', 'a/.x', 'x.pieces', 'x.pieces.log', 'a/x.pieces', '.patch-a/../x', '.patch-']
  for (const path of [...leading, ...own]) {
    const message = await refuse(directory, { files: [{ ...file, path }] })
    assert.match(message, 'no path of a generation', String(path))
  }
  assert.equal(await readdir(directory), [])
})

test('takes the paths of a manifest and of a patch', async () => {
  const directory = makeTempDir()
  const files = ['golden.json', 'clust_12/index.hnsw', '.patch-0123456789abcdef'].map((path) => ({
    ...file!,
    path,
  }))
  await preparePartial(directory, { ...TASK, files })
  assert.equal(await readdir(directory), ['.dg_7.partial'])
})

test('takes no sizes and sums that are none', async () => {
  const cases: [object, RegExp][] = [
    [{ files: [file, file] }, /vectors\.npy stands twice/],
    [{ files: [{ ...file, bytes: -1 }] }, /no number of bytes/],
    [{ files: [{ ...file, bytes: 1.5 }] }, /no number of bytes/],
    [{ files: [{ ...file, sha256: 'x' }] }, /no SHA-256/],
    [{ pieceBytes: 0 }, /pieces of 0 bytes/],
    [{ pieceBytes: 2 ** 30 }, /pieces of 1073741824 bytes/],
  ]
  for (const [change, message] of cases) assert.match(await refuse(makeTempDir(), change), message)
})

test('writes through no symbolic link in the place of either directory', async () => {
  for (const name of ['dg_7', '.dg_7.partial']) {
    const directory = makeTempDir()
    await symlink(makeTempDir(), join(directory, name))
    const { message } = await raised('corrupt', preparePartial(directory, TASK))
    assert.match(message, `${name} is a symbolic link`)
  }
})

test.run()
