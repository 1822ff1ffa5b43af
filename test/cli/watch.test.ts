import { EventEmitter } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseSeconds, watchAnswers } from '../../lib/cli/watch.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import type { Answer } from '../../lib/flows/context.ts'

const answer = (text: string): Answer => ({ outcome: 'done', text: `${text}\n`, json: { text } })

/** A stream that remembers; a terminal of 80 columns where `rows` is given. */
function makeStream(rows?: number) {
  const written: string[] = []
  const stream = Object.assign(new EventEmitter(), {
    isTTY: rows !== undefined,
    rows,
    write: (text: string) => written.push(text),
  })
  return { stream: stream as unknown as NodeJS.WriteStream & { rows: number }, written }
}

/** Watches until all `looks` were taken, each an answer or an error, and then interrupts. */
async function watch(looks: readonly (Answer | Error)[], options: { json?: boolean; rows?: number } = {}) {
  const { stream, written } = makeStream(options.rows)
  const controller = new AbortController()
  const left = [...looks]
  const look = async () => {
    if (left.length === 0) controller.abort()
    const next = left.shift() ?? looks.at(-1)!
    if (next instanceof Error) throw next
    return next
  }
  const { signal } = controller
  const ended = watchAnswers(look, { everyMs: 1, json: options.json ?? false, signal, stream })
  const error = await ended.then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  return { written, stream, error: error! }
}

test('writes a block with the time for each change, and nothing while all is as it was', async () => {
  const { written, error } = await watch(['one', 'one', 'one', 'two', 'two'].map(answer))
  assert.is(written.length, 2)
  assert.match(written[0]!, /^\d{4}-\d\d-\d\dT[\d:.]+Z\none\n$/)
  assert.match(written[1]!, /^\n\d{4}-\d\d-\d\dT[\d:.]+Z\ntwo\n$/)
  assert.is(error.name, 'AbortError')
})

test('writes a document a line as JSON', async () => {
  const { written } = await watch(['one', 'one'].map(answer), { json: true })
  for (const line of written) assert.equal(JSON.parse(line), { outcome: 'done', text: 'one' })
  assert.ok(written.length >= 2 && written.every((line) => line.indexOf('\n') === line.length - 1))
})

test('draws over the former text on a terminal, and gives it back with its cursor', async () => {
  const { written } = await watch([answer('a\nlong\ntext'), answer('short')], { rows: 24 })
  const all = written.join('')
  assert.ok(all.startsWith('\u001b[?1049h\u001b[?25l'))
  assert.ok(all.endsWith('\u001b[?25h\u001b[?1049l'))
  assert.not.match(all, '\u001b[2J')
  assert.match(all, 'long\u001b[K\r\n')
  assert.match(written.at(-2)!, 'short\u001b[K\u001b[J')
})

test('shows on a terminal as much as it has room for, and what is left out', async () => {
  const { written } = await watch([answer('1\n2\n3\n4\n5\n6\n7\n8')], { rows: 6 })
  const drawn = written[1]!.split('\r\n')
  assert.is(drawn.length, 6)
  assert.match(drawn[5]!, '… 5 more lines')
})

test('draws anew when the terminal gets another size', async () => {
  const { stream, written } = makeStream(4)
  const controller = new AbortController()
  const { signal } = controller
  const look = async () => answer('1\n2\n3\n4')
  const ended = watchAnswers(look, { everyMs: 60_000, json: false, signal, stream })
  await new Promise((resolve) => setImmediate(resolve))
  stream.rows = 20
  stream.emit('resize')
  assert.match(written.at(-1)!, '4\u001b[K')
  controller.abort()
  await ended.catch(() => undefined)
  assert.is(stream.listenerCount('resize'), 0)
})

test('goes on after a look that failed because something could not be reached, and tells it', async () => {
  const remote = new LongshoreError('remote', 'node-1 is silent')
  const { written } = await watch([answer('one'), remote, answer('two')])
  assert.match(written.join(''), /cannot look: node-1 is silent\none\n[\s\S]*\ntwo\n/)
})

test('ends with what else goes wrong, and with whatever goes wrong at first', async () => {
  const remote = new LongshoreError('remote', 'nobody there')
  assert.is((await watch([remote])).error, remote)
  const bug = new Error('a bug')
  const { error, written } = await watch([answer('one'), bug], { rows: 9 })
  assert.is(error, bug)
  assert.match(written.at(-1)!, '\u001b[?25h')
})

test('takes pauses of a fifth of a second to a day', () => {
  assert.equal([parseSeconds('2', 'every'), parseSeconds('0.5', 'every')], [2000, 500])
  for (const text of ['0', '0.1', '-1', 'x', '', '1e3', '90000']) {
    assert.throws(() => parseSeconds(text, 'every'), /--every .*: expected seconds/)
  }
})

test.run()
