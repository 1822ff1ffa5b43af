import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createStackFiles } from '../../../lib/adapters/files/stack-files.ts'
import { rejectsWith } from '../../support/errors.ts'
import { listAll } from '../../support/files.ts'
import { makeTempDir } from '../../support/temp.ts'

const DOCUMENT = {
  services: { index_0: { image: 'longshore:1', test: ['CMD', 'node'], spec: '{"a":"$1: \\n#"}' } },
}

function make() {
  const root = makeTempDir()
  return { root, files: createStackFiles({ root, profile: 'north' }) }
}

test('a document comes back as it was written, from each place', async () => {
  const { files } = make()
  for (const place of ['staging', 'unfinished', 'current', 'former'] as const) {
    assert.is(await files.read(place), null)
    await files.write(place, { ...DOCUMENT, place })
  }
  for (const place of ['staging', 'unfinished', 'current', 'former'] as const) {
    assert.equal(await files.read(place), { ...DOCUMENT, place })
  }
})

test('is one readable YAML file for a profile, and says what not to edit', async () => {
  const { root, files } = make()
  await files.write('staging', DOCUMENT)
  assert.equal(
    listAll(root).filter((name) => name.includes('.')),
    ['staging/north/stack.yml'],
  )
  const text = readFileSync(join(root, 'staging/north/stack.yml'), 'utf8')
  assert.match(text, /^# The services of the profile north\. Written by apply\.mjs: change the profile/)
  assert.match(text, /^ {4}image: longshore:1$/m)
})

test('what is moved replaces what was there, and leaves its place', async () => {
  const { files } = make()
  await files.write('current', { old: true })
  await files.write('staging', DOCUMENT)
  await files.move('staging', 'current')
  assert.equal([await files.read('staging'), await files.read('current')], [null, DOCUMENT])
})

test('removing twice is removing once', async () => {
  const { files } = make()
  await files.write('former', DOCUMENT)
  await files.remove('former')
  await files.remove('former')
  assert.is(await files.read('former'), null)
})

test('a file that is no YAML is corrupt, by its name', async () => {
  const { files } = make()
  await files.write('former', DOCUMENT)
  writeFileSync(files.locate('former'), 'services: [')
  await rejectsWith(files.read('former'), 'corrupt', /former\/north\/stack\.yml/)
})

test.run()
