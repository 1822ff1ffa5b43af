import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createItemFiles } from '../../../lib/adapters/inputs/item-files.ts'
import { rejectsWith } from '../../support/errors.ts'
import { makeTempDir } from '../../support/temp.ts'

const files = createItemFiles()
let root: string

test.before(() => {
  const directory = makeTempDir()
  root = join(directory, 'items')
  mkdirSync(join(root, 'deep'), { recursive: true })
  mkdirSync(join(directory, 'items-of-others'))
  writeFileSync(join(root, 'deep', 'own.png'), 'own')
  writeFileSync(join(directory, 'secret.png'), 'secret')
  writeFileSync(join(directory, 'items-of-others', 'secret.png'), 'secret')
  symlinkSync('../secret.png', join(root, 'link.png'))
  symlinkSync('..', join(root, 'up'))
  symlinkSync('deep/own.png', join(root, 'inner.png'))
  symlinkSync('items', join(directory, 'items-by-link'))
})

test('reads a file below its root, also by a link that stays there, and where the root is a link', async () => {
  for (const [from, path] of [
    [root, 'deep/own.png'],
    [root, './deep/../deep/own.png'],
    [root, 'inner.png'],
    [`${root}/`, 'deep/own.png'],
    [`${root}-by-link`, 'inner.png'],
  ] as const) {
    assert.is(Buffer.from(await files.read(from, path)).toString(), 'own', path)
  }
})

test('refuses whatever leaves the root: by .., by an absolute path, by a link to a file or a directory', async () => {
  for (const path of [
    '../secret.png',
    'deep/../../secret.png',
    '../items-of-others/secret.png',
    join(root, '..', 'secret.png'),
    'link.png',
    'up/secret.png',
    '.',
    '',
  ]) {
    await rejectsWith(files.read(root, path), 'usage', /leaves the directory of the items/)
  }
})

test('tells of a missing file where it was looked for, and how to name another directory', async () => {
  for (const path of ['none.png', 'deep/own.png/none.png', '../none.png']) {
    const error = await rejectsWith(files.read(root, path), 'not-found', /no such file/)
    assert.match(error.message, 'none.png')
    assert.match(error.hint ?? '', '--files')
  }
})

test.run()
