import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openFaissFlat } from '../../../lib/adapters/files/faiss-flat.ts'
import { FileWindow } from '../../../lib/adapters/files/file-window.ts'
import { createFloats } from '../../../lib/adapters/files/floats.ts'
import { readPickledMatrix } from '../../../lib/adapters/files/pickle-document.ts'
import { PickledRows } from '../../../lib/adapters/files/pickle-rows.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import { fixturePath } from '../../support/inputs.ts'
import { makeTempDir } from '../../support/temp.ts'

const damaged = join(makeTempDir(), 'damaged')

function readAllRows(path: string): void {
  const window = new FileWindow(path)
  try {
    const rows = new PickledRows(window)
    while (rows.advance()) if (rows.length !== undefined) rows.copyTo(createFloats(rows.length), 0)
  } finally {
    window.close()
  }
}

/** Flips bytes at random places and asserts that reading either works or raises `corrupt`. */
function assertSurvives(fixture: string, read: (path: string) => unknown, numRuns = 150): void {
  const whole = readFileSync(fixturePath(fixture))
  const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(flips, (changes) => {
      const bytes = Buffer.from(whole)
      for (const [place, byte] of changes) bytes[place] = byte
      writeFileSync(damaged, bytes)
      try {
        read(damaged)
      } catch (error) {
        assert.instance(error, LongshoreError, String((error as Error).stack))
        assert.is((error as LongshoreError).kind, 'corrupt')
      }
    }),
    { numRuns },
  )
}

for (const name of [
  'protocol0',
  'protocol2',
  'protocol3',
  'protocol4',
  'protocol5',
  'shared',
  'shared-protocol3',
]) {
  test(`raises nothing but corrupt for damaged bytes in ${name}`, () => {
    assertSurvives(`pickles/${name}.pkl`, readAllRows)
  })
}

test('raises nothing but corrupt for damaged centres and indexes', () => {
  assertSurvives('raw/clusters_centers_use_dg1.pkl', readPickledMatrix, 600)
  assertSurvives('split/clust_0/index', (path) => openFaissFlat(path).close(), 300)
  assertSurvives('split/clust_1/index', (path) => openFaissFlat(path).close(), 300)
})

test('raises nothing but corrupt for bytes that are no pickle', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      writeFileSync(damaged, bytes)
      assert.throws(
        () => readAllRows(damaged),
        (error: unknown) => error instanceof LongshoreError && error.kind === 'corrupt',
      )
    }),
    { numRuns: 300 },
  )
})

test('refuses an entry that refers to itself', () => {
  const whole = readFileSync(fixturePath('pickles/protocol3.pkl'))
  whole.writeUInt16LE(245, 7)
  writeFileSync(damaged, whole)
  assert.throws(() => readAllRows(damaged), 'refers to itself')
})

test('refuses a chain of references that would take for ever', () => {
  const row = (text: string, body: number[]) => [0x8c, text.length, ...Buffer.from(text), 0x94, ...body]
  const doubling = Array.from({ length: 40 }, (_, index) =>
    row(`t${index}`, [0x68, index, 0x68, index, 0x86, 0x94]),
  )
  writeFileSync(damaged, Buffer.from([0x80, 4, 0x7d, 0x94, 0x28, ...doubling.flat(), 0x75, 0x2e]))
  assert.throws(
    () => readAllRows(damaged),
    (error: unknown) => error instanceof LongshoreError && error.kind === 'corrupt',
  )
})

test.run()
