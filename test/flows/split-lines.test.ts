import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LineBuilder } from '../../lib/flows/split-lines.ts'

function split({ lines, lineEnds }: ReturnType<LineBuilder['take']>): string[] {
  return Array.from(lineEnds, (end, index) =>
    Buffer.from(lines.subarray(lineEnds[index - 1] ?? 0, end)).toString(),
  )
}

test('begins with an id and a text, and keeps what else an item carries', () => {
  const builder = new LineBuilder()
  builder.addItem('x', { topic: 1, text: 'é "', id: 'given' })
  builder.addItem('r1', { topic: 2 })
  assert.equal(split(builder.take()), ['{"id":"x","text":"é \\"","topic":1}\n', '{"id":"r1","topic":2}\n'])
  assert.equal(split(builder.take()), [])
})

test('takes lines that are longer than all before', () => {
  const builder = new LineBuilder()
  const long = '😀"é'.repeat(100_000)
  builder.addItem('short', { text: 'short' })
  builder.addItem('x', { text: long })
  const lines = split(builder.take())
  assert.equal(
    lines.map((line) => JSON.parse(line).text),
    ['short', long],
  )
})

test.run()
