import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { HttpError } from '../../services/http/http-error.ts'
import { createQueue, type Question } from '../../services/index/search-queue.ts'

const present = new AbortController().signal

function question(queries: number, more: Partial<Question> = {}): Question {
  return {
    generation: 'dg_1',
    vectors: new Float32Array(queries),
    queries,
    k: 10,
    signal: present,
    ...more,
  }
}

function makeQueue(threads = 1) {
  const dropped: [string, HttpError][] = []
  const queue = createQueue<string>({ threads, drop: (task, reason) => dropped.push([task, reason]) })
  const take = () =>
    queue.take(() => true).map(({ waiting, from, count }) => `${waiting.task} ${from}-${from + count - 1}`)
  return { ...queue, take, dropped }
}

test('takes what waits for the same together', () => {
  const { add, take, length } = makeQueue()
  for (const name of ['a', 'b', 'c']) add(question(2), name)
  assert.is(length(), 6)
  assert.equal(take(), ['a 0-1', 'b 0-1', 'c 0-1'])
  assert.is(length(), 0)
  assert.equal(take(), [])
})

test('keeps apart what one pass does not answer as it would be answered alone', () => {
  const rows = new Uint32Array(1)
  const others: Partial<Question>[] = [{ generation: 'dg_2' }, { k: 11 }, { rows }, { isExact: true }]
  for (const other of others) {
    const { add, take } = makeQueue()
    add(question(1), 'a')
    add(question(1, other), 'b')
    add(question(1), 'c')
    assert.equal(take(), ['a 0-0', 'c 0-0'])
    assert.equal(take(), ['b 0-0'])
  }
})

test('shares what waits out to all threads', () => {
  const { add, take } = makeQueue(2)
  for (const name of ['a', 'b', 'c', 'd', 'e']) add(question(1), name)
  assert.equal(take(), ['a 0-0', 'b 0-0', 'c 0-0'])
  assert.equal(take(), ['d 0-0'])
})

test('lets single queries in beside a huge batch at once', () => {
  const { add, take, length } = makeQueue()
  add(question(256), 'huge')
  assert.equal(take(), ['huge 0-15'])
  for (const name of ['a', 'b', 'c']) add(question(1), name)
  assert.equal(take(), ['huge 16-28', 'a 0-0', 'b 0-0', 'c 0-0'])
  add(question(1, { k: 5 }), 'd')
  assert.equal(take(), ['huge 29-44'])
  assert.equal(take(), ['d 0-0'], 'what is left of a batch waits behind those that came after it')
  let passes = 0
  while (length() > 0) {
    take()
    passes++
  }
  assert.is(passes, Math.ceil((256 - 45) / 16))
})

test('never searches for a client that has gone, also amid its batch', () => {
  const { add, take, dropped, length } = makeQueue()
  const controller = new AbortController()
  add(question(100, { signal: controller.signal }), 'gone')
  add(question(1), 'a')
  take()
  controller.abort()
  assert.equal(take(), [])
  assert.is(length(), 0)
  assert.equal(
    dropped.map(([task, { status, code }]) => [task, status, code]),
    [['gone', 499, 'cancelled']],
  )
})

test('never searches when the deadline has passed', () => {
  const { add, take, dropped } = makeQueue()
  add(question(1, { deadline: performance.now() - 1 }), 'late')
  add(question(1, { deadline: performance.now() + 60_000 }), 'a')
  assert.equal(take(), ['a 0-0'])
  assert.equal(
    dropped.map(([task, { status, code }]) => [task, status, code]),
    [['late', 503, 'deadline']],
  )
})

test('refuses more than it holds, and makes room of those that nobody waits for', () => {
  const { add, take, dropped, length } = makeQueue()
  const controller = new AbortController()
  for (let at = 0; at < 4; at++) add(question(256, { signal: controller.signal }), `${at}`)
  assert.throws(
    () => add(question(1), 'a'),
    (error: HttpError) => error.status === 503 && error.code === 'overloaded',
  )
  assert.is(length(), 1024)
  controller.abort()
  add(question(1), 'a')
  assert.is(dropped.length, 4)
  assert.equal(take(), ['a 0-0'])
})

test.run()
