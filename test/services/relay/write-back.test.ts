import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { WriteBack } from '../../../services/relay/write-back.ts'
import { eventually } from '../../support/eventually.ts'
import { makeTempDir } from '../../support/temp.ts'

test('tells when the disk refuses what was written', async () => {
  const problems: unknown[] = []
  const writeBack = new WriteBack((error) => problems.push(error), 1)
  const directory = makeTempDir()
  await writeFile(join(directory, 'file'), 'plain')
  // No file system can sync what lies below a plain file.
  writeBack.note(join(directory, 'file', 'below'))
  const [problem] = await eventually(() => {
    assert.is(problems.length, 1)
    return problems as NodeJS.ErrnoException[]
  })
  assert.is(problem!.code, 'ENOTDIR')
})

test('minds no file that has got its name meanwhile, and goes on with what is written later', async () => {
  const problems: unknown[] = []
  const writeBack = new WriteBack((error) => problems.push(error), 1)
  const directory = makeTempDir()
  await writeFile(join(directory, 'file'), 'plain')
  writeBack.note(join(directory, 'gone'))
  writeBack.note(join(directory, 'file'))
  writeBack.note(join(directory, 'file', 'below'))
  await eventually(() => assert.is(problems.length, 1))
  assert.is((problems[0] as NodeJS.ErrnoException).code, 'ENOTDIR')
})

test.run()
