import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createRateStore } from '../../../lib/adapters/files/rate-store.ts'
import { makeTempDir } from '../../support/temp.ts'

const rate = (bytesPerSecond: number) => ({ bytesPerSecond, at: '2026-11-20T03:00:00.000Z' })

test('remembers what was noted, of nodes that end together too, and replaces only the same kind', async () => {
  const state = join(makeTempDir(), 'state')
  const store = createRateStore(state)
  assert.equal(await store.read(), {})
  await Promise.all([store.note('n1', 'whole', rate(1)), store.note('n2', 'whole', rate(2))])
  await store.note('n1', 'differences', rate(3))
  await store.note('n1', 'whole', rate(4))
  const expected = { n1: { whole: rate(4), differences: rate(3) }, n2: { whole: rate(2) } }
  assert.equal(await createRateStore(state).read(), expected)
})

test('takes a file that makes no sense for none', async () => {
  const state = makeTempDir()
  for (const text of [
    '{"n1": {"whole": 5}}',
    '[',
    'null',
    '{"n1": {"whole": {"bytesPerSecond": 0, "at": ""}}}',
  ]) {
    await writeFile(join(state, 'delivery-rates.json'), text)
    assert.equal(await createRateStore(state).read(), {})
  }
})

test.run()
