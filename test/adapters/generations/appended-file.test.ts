import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { AppendedFile } from '../../../lib/adapters/generations/appended-file.ts'
import { makeTempDir } from '../../support/temp.ts'

test('keeps every byte of a file that goes to the disk while it is being written', async () => {
  const path = join(makeTempDir(), 'file')
  const file = new AppendedFile(path)
  const blocks = [1, 2, 3, 4, 5].map((value) => Buffer.alloc(8 * 1024 * 1024, value))
  for (const block of blocks) {
    file.append(block)
    await turn()
  }
  file.patch(Buffer.from('head'), 0)
  await file.close()
  const expected = Buffer.concat(blocks)
  expected.write('head')
  assert.is(readFileSync(path).compare(expected), 0)
})

test.run()
