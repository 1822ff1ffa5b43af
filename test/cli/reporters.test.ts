import { PassThrough } from 'node:stream'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createPaint } from '../../lib/cli/colours.ts'
import { createReporter } from '../../lib/cli/reporters/choose.ts'
import { createPlainReporter } from '../../lib/cli/reporters/plain.ts'
import { renderStory } from '../../lib/cli/reporters/progress-bars.ts'
import type { Step } from '../../lib/domain/plan.ts'
import type { Reporter } from '../../lib/ports/reporter.ts'

const STEP: Step = {
  batch: 1,
  action: 'load',
  target: 'index_0',
  node: 'node-1',
  cause: 'it serves dg_7 only',
}

/** A stream that keeps what is written to it; with `isTTY`, a terminal of 120 columns. */
function createSink(isTTY = false) {
  let text = ''
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120, rows: 40 })
  stream.on('data', (piece: Buffer) => {
    text += piece
  })
  return { stream: stream as unknown as NodeJS.WriteStream, read: () => text }
}

function tellStory(reporter: Reporter): void {
  reporter.plan({ steps: [STEP] })
  reporter.step({ step: STEP, state: 'started' })
  reporter.progress({ task: 'deliver node-1', done: 5, total: 10, unit: 'bytes' })
  reporter.step({ step: STEP, state: 'done', tookMs: 1500 })
  reporter.step({ step: STEP, state: 'failed', detail: 'no room' })
  reporter.gates('Gates of dg_8', [{ name: 'recall', measured: 1, limit: '>= 0.9', passed: true }])
  reporter.note('soaking')
}

test('tells plain lines where stderr is no terminal', () => {
  const { stream, read } = createSink()
  tellStory(createReporter({ json: false, quiet: false, stream }))
  assert.match(read(), 'started load index_0 on node-1: it serves dg_7 only\n')
  assert.match(read(), 'done load index_0 on node-1 (1.5 s)\n')
  assert.match(read(), 'failed load index_0 on node-1: no room\n')
  assert.match(read(), '✔  recall')
  assert.not.match(read(), '\u001b')
})

test('tells marks, tables and bars on a terminal, and leaves the cursor visible', () => {
  const { stream, read } = createSink(true)
  const reporter = createReporter({ json: false, quiet: false, stream })
  tellStory(reporter)
  reporter.close()
  assert.match(read(), '✔')
  assert.match(read(), 'deliver node-1')
  const shownAt = read().lastIndexOf('\u001b[?25h')
  assert.ok(shownAt > read().lastIndexOf('\u001b[?25l'))
})

test('writes above a bar that still moves, and keeps its rate', () => {
  const { stream, read } = createSink(true)
  const reporter = createReporter({ json: false, quiet: false, stream })
  reporter.progress({ task: 'read', done: 5, total: 10, unit: 'rows' })
  reporter.note('a word between')
  reporter.progress({ task: 'read', done: 10, total: 10, unit: 'rows' })
  reporter.close()
  assert.ok(read().indexOf('a word between') < read().lastIndexOf('10 rows of 10 rows'))
})

test('shows the sum of several parts, and what of it was not carried', () => {
  const { stream, read } = createSink(true)
  const reporter = createReporter({ json: false, quiet: false, stream })
  const part = { whole: 'deliver dg_8', total: 1024, unit: 'bytes' } as const
  reporter.progress({ ...part, task: 'deliver n1', done: 1024 })
  reporter.progress({ ...part, task: 'deliver n2', done: 1024, saved: 1000 })
  reporter.close()
  assert.match(read(), /deliver dg_8 .*2\.0 KiB of 2\.0 KiB/)
  const story = renderStory({ ...part, task: 'x', done: 2048, saved: 1024 }, { done: 0, at: 0 }, 1000)
  assert.is(story, '2.0 KiB of 1.0 KiB, 2.0 KiB/s, 1.0 KiB of it not carried')
})

test('tells one JSON object a line under --json', () => {
  const { stream, read } = createSink()
  tellStory(createReporter({ json: true, quiet: false, stream }))
  const events = read()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).event)
  assert.equal(events, ['plan', 'step', 'step', 'step', 'gates', 'note'])
})

test('tells nothing under --quiet', () => {
  const { stream, read } = createSink()
  tellStory(createReporter({ json: true, quiet: true, stream }))
  assert.is(read(), '')
})

test('tells progress of a task at most every 10 s in a log', () => {
  const { stream, read } = createSink()
  let now = 0
  const reporter = createPlainReporter(stream, () => now)
  for (; now <= 25_000; now += 100) {
    reporter.progress({ task: 'read', done: now, total: 50_000, unit: 'rows' })
  }
  assert.equal(read().trimEnd().split('\n'), [
    'read: 10,000 rows of 50,000 rows, 1,000 rows/s, 40.0 s left, 20 %',
    'read: 20,000 rows of 50,000 rows, 1,000 rows/s, 30.0 s left, 40 %',
  ])
})

test('tells rate and remaining time of a task', () => {
  const progress = { task: 'read', done: 1000, total: 4000, unit: 'rows' } as const
  const start = { done: 0, at: 0 }
  assert.is(renderStory(progress, start, 2000), '1,000 rows of 4,000 rows, 500 rows/s, 6.0 s left')
  assert.is(renderStory({ ...progress, total: undefined }, start, 2000), '1,000 rows, 500 rows/s')
  assert.is(
    renderStory(progress, { done: 800, at: 1000 }, 2000),
    '1,000 rows of 4,000 rows, 200 rows/s, 15.0 s left',
  )
})

test('colours only terminals, and none against NO_COLOR', () => {
  const former = process.env.NO_COLOR
  delete process.env.NO_COLOR
  assert.is(createPaint({ isTTY: false })('red', 'x'), 'x')
  assert.match(createPaint({ isTTY: true })('red', 'x'), '\u001b')
  process.env.NO_COLOR = '1'
  assert.is(createPaint({ isTTY: true })('red', 'x'), 'x')
  if (former === undefined) delete process.env.NO_COLOR
  else process.env.NO_COLOR = former
})

test.run()
