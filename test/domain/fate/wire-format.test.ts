import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import {
  createDelimited,
  createVarint,
  decodeText,
  encodeText,
  isMessage,
  parseFields,
  renderFields,
} from '../../../lib/domain/fate/wire-format.ts'

/** Varints as any writer may write them, also longer than they need be. */
const varint = fc
  .tuple(fc.array(fc.integer({ min: 128, max: 255 }), { maxLength: 9 }), fc.integer({ min: 0, max: 127 }))
  .map(([head, last]) => [...head, last])
const number = fc.integer({ min: 1, max: 2 ** 29 - 1 })
const bytesOf = (length: number) =>
  fc.array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length })

function tag(field: number, wireType: number): number[] {
  return [...createVarint(1, 8 * field + wireType).bytes.subarray(1)]
}

const flat = fc.oneof(
  fc.tuple(number, varint).map(([field, value]) => [...tag(field, 0), ...value]),
  fc.tuple(number, bytesOf(8)).map(([field, value]) => [...tag(field, 1), ...value]),
  fc.tuple(number, bytesOf(4)).map(([field, value]) => [...tag(field, 5), ...value]),
  fc
    .tuple(number, fc.uint8Array({ maxLength: 300 }))
    .map(([field, value]) => [...createDelimited(field, value).bytes]),
)
const group = fc
  .tuple(number, fc.array(flat, { maxLength: 3 }))
  .map(([field, inside]) => [...tag(field, 3), ...inside.flat(), ...tag(field, 4)])
const anyField = fc.oneof(flat, flat, flat, group)
const anyMessage = fc.array(anyField, { maxLength: 12 })

test('any message comes back byte for byte, unknown fields, groups and long varints too', () => {
  fc.assert(
    fc.property(anyMessage, (fields) => {
      const bytes = Uint8Array.from(fields.flat())
      const parsed = parseFields(bytes)
      assert.is(parsed.length, fields.length)
      assert.equal(renderFields(parsed), bytes)
    }),
    { numRuns: 400 },
  )
})

test('any bytes are either no message, or come back as they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      if (isMessage(bytes)) assert.equal(renderFields(parseFields(bytes)), bytes)
    }),
    { numRuns: 2000 },
  )
})

test('replacing one field leaves the bytes of all others', () => {
  fc.assert(
    fc.property(anyMessage, anyMessage, fc.uint8Array({ maxLength: 200 }), (before, after, content) => {
      const [head, tail] = [Uint8Array.from(before.flat()), Uint8Array.from(after.flat())]
      const fresh = createDelimited(7, content)
      const bytes = renderFields([...parseFields(head), fresh, ...parseFields(tail)])
      assert.equal(bytes, Uint8Array.from([...head, ...fresh.bytes, ...tail]))
      assert.equal(parseFields(bytes)[before.length]?.content, content)
    }),
  )
})

const BROKEN: [string, number[]][] = [
  ['a varint that does not end', [0x08, 0x80]],
  ['a varint of eleven bytes', [0x08, ...Array<number>(10).fill(0x80), 0]],
  ['a text longer than the message', [0x0a, 5, 1]],
  ['a length beyond all memory', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ['field number 0', [0x02, 0]],
  ['wire type 6', [0x0e]],
  ['the end of a group that never began', [0x0c]],
  ['a group that does not end', [0x0b, 0x08, 1]],
  ['a group that ends as another one', [0x0b, 0x14]],
  ['a fixed number that is cut off', [0x09, 1, 2, 3]],
  ['groups in groups without end', Array<number>(500).fill(0x0b)],
]

for (const [what, bytes] of BROKEN) {
  test(`refuses ${what}`, () => {
    assert.not(isMessage(Uint8Array.from(bytes)))
    assert.throws(
      () => parseFields(Uint8Array.from(bytes)),
      (error: unknown) => error instanceof LongshoreError && error.kind === 'corrupt',
    )
  })
}

test('texts keep every character, also a byte order mark', () => {
  const text = '\ufeffhost_10000_特征'
  assert.is(decodeText(encodeText(text)), text)
  assert.throws(() => decodeText(Uint8Array.of(0xff)), /UTF-8/)
})

test.run()
