import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { makeQuestions } from '../support/questions.ts'

let fleet: Fleet
test.before(async () => {
  fleet = await makeFleet()
  await mkdir(fleet.path('notes', 'deep'), { recursive: true })
  for (const [index, { text }] of makeQuestions('note', 60).entries()) {
    await writeFile(fleet.path('notes', index % 2 ? 'deep' : '.', `n${index}.txt`), `  ${text}\r\n`)
  }
  assert.is((await fleet.run('split-index', fleet.path('notes'))).code, 0)
})
test.after(async () => {
  await fleet.stop()
})

test('keeps a generation that was made of a directory with the files in it, and makes both again', async () => {
  const kept = await fleet.run('backup', '--to', fleet.path('dg_1.tar'))
  assert.equal([kept.code, kept.json.files], [0, 60], kept.stdout)
  await rm(fleet.path('dgs', 'dg_1'), { recursive: true })
  const restored = await fleet.run('restore', fleet.path('dg_1.tar'), '--files', fleet.path('again'))
  assert.equal([restored.code, restored.json.files], [0, 60], restored.stdout)
  const names = await listFiles(fleet.path('notes'))
  assert.equal(await listFiles(fleet.path('again')), names)
  for (const name of names) {
    assert.ok(
      (await readFile(fleet.path('again', name))).equals(await readFile(fleet.path('notes', name))),
      name,
    )
  }
  assert.is((await fleet.run('restore', fleet.path('dg_1.tar'))).json.outcome, 'nothing-to-do')
})

test('ends with exit code 12 for a file that was changed since, and 10 for one that is gone, unless files are left out', async () => {
  await writeFile(fleet.path('notes', 'n2.txt'), 'another text')
  const changed = await fleet.run('backup', '--to', fleet.path('changed.tar'))
  assert.is(changed.code, 12)
  assert.match(changed.json.error.message, /n2\.txt: has changed since/)
  await rm(fleet.path('notes', 'n2.txt'))
  const gone = await fleet.run('backup', '--to', fleet.path('changed.tar'))
  assert.is(gone.code, 10)
  assert.match(gone.json.error.message, 'n2.txt')
  const elsewhere = await fleet.run(
    'backup',
    '--to',
    fleet.path('changed.tar'),
    '--files',
    fleet.path('again'),
  )
  assert.equal([elsewhere.code, elsewhere.json.files], [0, 60])
  const without = await fleet.run('backup', '--to', fleet.path('without.tar'), '--no-files')
  assert.equal([without.code, without.json.files], [0, 0])
})

test.run()

async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
}
