import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SendWindow } from '../../lib/domain/send-window.ts'

const PART = 1000
const LEAST = 2 * PART

/** A link of so many bytes per ms behind a way of so many ms, filled with parts for a while; the window in the end. */
function playLink(window: SendWindow, { rate, wayMs, from = 0, ms = 2000 }: Record<string, number>): number {
  const coming: number[] = []
  let freeAt = from!
  let total = playedTotals.get(window) ?? 0
  for (let now = from!; now < from! + ms!; now++) {
    while (coming.length > 0 && coming[0]! <= now) {
      coming.shift()
      total += PART
      window.noteHeard(total, now)
    }
    while (window.hasRoom(PART)) {
      window.noteSent(PART, now)
      freeAt = Math.max(freeAt, now) + PART / rate!
      coming.push(freeAt + wayMs!)
    }
  }
  for (const at of coming) {
    total += PART
    window.noteHeard(total, at)
  }
  playedTotals.set(window, total)
  return window.size
}

const playedTotals = new WeakMap<SendWindow, number>()

test('lets no more than the least leave before anything was acknowledged', () => {
  const window = new SendWindow(LEAST)
  assert.ok(window.hasRoom(PART))
  window.noteSent(PART, 0)
  window.noteSent(PART, 0)
  assert.not(window.hasRoom(PART))
  window.noteHeard(PART, 10)
  assert.ok(window.hasRoom(PART))
})

test('grows until a fast link is full, however long the way is', () => {
  for (const wayMs of [1, 20, 200]) {
    const rate = 500
    const size = playLink(new SendWindow(LEAST), { rate, wayMs, ms: 6000 })
    assert.ok(size >= rate * wayMs, `${wayMs} ms: ${size} bytes`)
    assert.ok(size <= rate * (wayMs + 100) + LEAST, `${wayMs} ms: ${size} bytes`)
  }
})

test('keeps little on the way to a slow node, and less to one that becomes slow', () => {
  const little = playLink(new SendWindow(LEAST), { rate: 1, wayMs: 5 })
  assert.ok(little <= LEAST + 100, `${little} bytes`)
  const window = new SendWindow(LEAST)
  playLink(window, { rate: 500, wayMs: 5 })
  const size = playLink(window, { rate: 5, wayMs: 5, from: 10_000, ms: 20_000 })
  assert.ok(size <= LEAST + 5 * 200, `${size} bytes`)
})

test('takes what is acknowledged twice, or was never sent, for nothing', () => {
  const window = new SendWindow(LEAST)
  window.noteSent(PART, 0)
  window.noteHeard(50 * PART, 1)
  window.noteHeard(PART, 2)
  window.noteSent(LEAST, 3)
  assert.ok(window.size >= LEAST)
  assert.not(new SendWindow(LEAST).hasRoom(LEAST + 1))
})

test.run()
