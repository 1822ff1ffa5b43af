import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BatchBuilder } from '../../../lib/adapters/inputs/batch.ts'
import { hashText } from '../../../lib/domain/text-hash.ts'
import { isTextItems, listItems } from '../../../lib/flows/split-items.ts'

const { signal } = new AbortController()

function hashed(bytes: Buffer, start = 0, end = bytes.length) {
  return { bytes, start, end, hash: Uint32Array.from(hashText(bytes.toString('utf8', start, end))) }
}

test('gives texts as bytes, each with its end and its hash', async () => {
  const builder = new BatchBuilder(1, { hasClusters: true })
  const texts = ['first', 'zweiter é', '', 'a long text '.repeat(10_000)]
  for (const [cluster, text] of texts.entries()) builder.addText(hashed(Buffer.from(text)), cluster)
  const { items, clusters } = await builder.take(signal)
  assert.ok(isTextItems(items))
  assert.equal(
    listItems(items),
    texts.map((text) => ({ text })),
  )
  assert.equal([...items.hashes], texts.flatMap(hashText))
  assert.equal([...clusters!], [0, 1, 2, 3])
  assert.ok(builder.isEmpty)
})

test('gives objects where the bytes of a text are no UTF-8, even where they are together with the next', async () => {
  for (const bytes of [[0xff], [0x61, 0xc3, 0xa9]]) {
    const builder = new BatchBuilder(1, { hasClusters: false })
    const whole = Buffer.from(bytes)
    builder.addText(hashed(whole, 0, whole.length - 1))
    builder.addText(hashed(whole, whole.length - 1))
    const { items } = await builder.take(signal)
    assert.not.ok(isTextItems(items))
    assert.equal(listItems(items).at(-1), { text: '\ufffd' })
  }
})

test('uses the memory of a batch again once it is given back, and not before', async () => {
  const builder = new BatchBuilder(2, { hasClusters: false })
  const takeRow = async (value: number) => {
    builder.target.floats.set([value, value], builder.targetAt)
    builder.add({ text: String(value) })
    return builder.take(signal)
  }
  const first = await takeRow(1)
  const second = await takeRow(2)
  assert.equal([...first.vectors!, ...second.vectors!], [1, 1, 2, 2])
  first.recycle!()
  const third = await takeRow(3)
  assert.is(third.vectors!.buffer, first.vectors!.buffer)
  assert.equal([...second.vectors!], [2, 2])
})

test.run()
