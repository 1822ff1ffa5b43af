import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FileWindow } from '../../../lib/adapters/files/file-window.ts'
import { createFloats } from '../../../lib/adapters/files/floats.ts'
import { PickledRows } from '../../../lib/adapters/files/pickle-rows.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import { hashText } from '../../../lib/domain/text-hash.ts'
import { fixturePath, readExpected } from '../../support/inputs.ts'
import { makeTempDir } from '../../support/temp.ts'

type Row = { text: string; values: number[] | undefined; descr: string }

function readRows(path: string, capacity?: number): Row[] {
  const window = new FileWindow(path, capacity)
  try {
    const rows = new PickledRows(window)
    const found: Row[] = []
    while (rows.advance()) {
      assert.equal([...rows.hash], hashText(rows.text))
      const target = createFloats(rows.length ?? 0)
      if (rows.length !== undefined) rows.copyTo(target, 0)
      found.push({ text: rows.text, values: rows.length ? [...target.floats] : undefined, descr: rows.descr })
    }
    return found
  } finally {
    window.close()
  }
}

function failureOf(path: string): LongshoreError {
  try {
    readRows(path)
  } catch (error) {
    assert.instance(error, LongshoreError)
    return error as LongshoreError
  }
  return assert.unreachable(`${path} was read`) as never
}

const { texts, rows } = readExpected()
const expected = texts.map((text, row) => ({ text, values: [...rows[row]!], descr: '<f4' }))

for (let protocol = 0; protocol <= 5; protocol++) {
  test(`reads every row of a dict in protocol ${protocol}, in its order, bit by bit`, () => {
    assert.equal(readRows(fixturePath(`pickles/protocol${protocol}.pkl`)), expected)
  })
}

test('reads the same rows through a window that hardly holds one of them', () => {
  for (const name of ['protocol0', 'protocol2', 'protocol3', 'protocol4', 'protocol5', 'one-row']) {
    assert.equal(readRows(fixturePath(`pickles/${name}.pkl`), 100), expected, name)
  }
})

test('reads rows of the shape (1, d) and of an ordered dict', () => {
  assert.equal(readRows(fixturePath('pickles/one-row.pkl')), expected)
  assert.equal(readRows(fixturePath('pickles/ordered.pkl')), expected)
})

test('rounds float64 to float32', () => {
  const doubles = readRows(fixturePath('pickles/float64.pkl'))
  assert.equal(
    doubles.map(({ values }) => values),
    expected.map(({ values }) => values),
  )
  assert.is(doubles[0]!.descr, '<f8')
})

test('recalls an array that several texts share, though it keeps none', () => {
  for (const name of ['shared', 'shared-protocol3']) {
    const found = readRows(fixturePath(`pickles/${name}.pkl`))
    assert.equal(found.slice(0, 60), expected)
    assert.equal(found.slice(60), [
      { text: 'again 1', values: [...rows[20]!], descr: '<f4' },
      { text: 'again 2', values: [...rows[50]!], descr: '<f4' },
    ])
  }
})

test('notices opcodes that only one row has, wherever the window stands', () => {
  const path = join(makeTempDir(), 'noise.pkl')
  const whole = readFileSync(fixturePath('pickles/protocol5.pkl'))
  const noise = Buffer.from('N0N0')
  for (const row of [30, 45, 58]) {
    const payload = whole.indexOf(Buffer.from(rows[row]!.buffer))
    writeFileSync(path, Buffer.concat([whole.subarray(0, payload + 33), noise, whole.subarray(payload + 33)]))
    for (const capacity of [64, 100, 150, 200, 300, 1000, 10_000])
      assert.equal(readRows(path, capacity), expected)
  }
})

test('tells the length of rows that differ from the others, and none for what is no single row', () => {
  const [short, matrix] = readRows(fixturePath('pickles/odd.pkl')).slice(60)
  assert.is(short!.values?.length, 5)
  assert.is(matrix!.values, undefined)
})

test('knows the module names of NumPy 2', () => {
  const path = join(makeTempDir(), 'numpy2.pkl')
  const old = readFileSync(fixturePath('pickles/protocol0.pkl'), 'latin1')
  writeFileSync(path, old.replaceAll('numpy.core.', 'numpy._core.'), 'latin1')
  assert.equal(readRows(path), expected)
})

test('names a class that is not allowed, its file and its byte, and never runs it', () => {
  for (const name of ['malicious', 'malicious-protocol0']) {
    const { kind, message } = failureOf(fixturePath(`pickles/${name}.pkl`))
    assert.is(kind, 'corrupt')
    assert.match(
      message,
      new RegExp(`${name}\\.pkl, byte \\d+: posix\\.system is not allowed; pickles are parsed`),
    )
  }
  assert.not(existsSync('/longshore-was-here'))
})

test('refuses arrays of Python objects and pickles that are no dict', () => {
  assert.match(failureOf(fixturePath('pickles/objects.pkl')).message, 'Python objects')
  assert.match(failureOf(fixturePath('pickles/matrix.pkl')).message, 'expected a dict')
})

test('says where a pickle ends too early, wherever that is', () => {
  const path = join(makeTempDir(), 'short.pkl')
  const whole = readFileSync(fixturePath('pickles/protocol4.pkl'))
  for (let length = 0; length < whole.length; length += 13) {
    writeFileSync(path, whole.subarray(0, length))
    const { kind, message } = failureOf(path)
    assert.is(kind, 'corrupt')
    assert.match(message, /short\.pkl, byte \d+: /)
  }
})

test.run()
