import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FilesInput } from '../../../lib/adapters/inputs/files.ts'
import { openInput } from '../../../lib/adapters/inputs/open-input.ts'
import { readWhole } from '../../support/inputs.ts'
import { makeTempDir } from '../../support/temp.ts'

/** A directory `gallery` with these files, and what lies beside it. */
function makeGallery(files: Readonly<Record<string, string>>): string {
  const root = join(makeTempDir(), 'gallery')
  mkdirSync(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

test('makes an item of each text and image, at any depth, named by its path, in the same order each time', async () => {
  const root = makeGallery({
    'b/two.md': ' two\n',
    'a.txt': 'one',
    'b/c/three.JPG': 'bytes',
    'b/left-out.csv': 'x',
    'folder.txt/inside.txt': 'four',
  })
  const input = await openInput(root)
  assert.equal([input.kind, input.rows, input.dimensions, input.root], ['files', 4, null, root])
  const { items } = await readWhole(input)
  assert.equal(items, [
    { id: 'a.txt', text: 'one' },
    { id: 'b/c/three.JPG', file: 'b/c/three.JPG' },
    { id: 'b/two.md', text: 'two' },
    { id: 'folder.txt/inside.txt', text: 'four' },
  ])
  assert.equal((await readWhole(await openInput(root))).items, items)
  assert.equal(
    input.files.map(({ path, bytes }) => [path.slice(root.length + 1), bytes]),
    [
      ['a.txt', 3],
      ['b/c/three.JPG', 5],
      ['b/two.md', 5],
      ['folder.txt/inside.txt', 4],
    ],
  )
})

test('rejects links that leave the directory or lead nowhere, and follows those that stay', async () => {
  const root = makeGallery({ 'a.txt': 'one' })
  writeFileSync(join(root, '..', 'secret.txt'), 'secret')
  mkdirSync(join(root, '..', 'others'))
  writeFileSync(join(root, '..', 'others', 'more.txt'), 'secret too')
  symlinkSync('../secret.txt', join(root, 'out.txt'))
  symlinkSync('nowhere', join(root, 'broken.txt'))
  symlinkSync('round.txt', join(root, 'round.txt'))
  symlinkSync('a.txt', join(root, 'same.txt'))
  symlinkSync('../others', join(root, 'others'))
  symlinkSync('.', join(root, 'again'))
  const { items, rejects } = await readWhole(await openInput(root))
  assert.equal(items, [
    { id: 'a.txt', text: 'one' },
    { id: 'same.txt', text: 'one' },
  ])
  const reason = 'is a link to what is no file of this directory'
  assert.equal(
    rejects,
    ['broken.txt', 'out.txt', 'round.txt'].map((row) => ({ row, reason })),
  )
})

test('is no input where a directory holds neither text nor image', () => {
  assert.is(FilesInput.open(makeGallery({ 'table.csv': 'x', 'text.txt.gz': 'x' })), undefined)
})

test('stops between batches when it is told to', async () => {
  const input = await openInput(makeGallery({ 'a.txt': 'one' }))
  const error = await readWhole(input, AbortSignal.abort(new Error('enough'))).catch((thrown) => thrown)
  assert.is(error.message, 'enough')
})

test.run()
