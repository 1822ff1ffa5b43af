import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { JournalEntry } from '../../lib/domain/record.ts'
import {
  EMPTY_MEMORY,
  findNumbers,
  type Hold,
  memoryName,
  parseMemory,
  renderMemory,
  withEntry,
  withHold,
  withoutHold,
  withRenewal,
} from '../../lib/domain/swarm-memory.ts'

const HOLD: Hold = {
  owner: 'anna@north 1',
  doing: 'rollback',
  since: '2026-01-01T00:00:00.000Z',
  renewedAt: '2026-01-01T00:00:00.000Z',
  released: false,
  process: null,
}

test('every lease has a larger fence than any seen, also outside the memory', () => {
  const taken = withHold({ ...EMPTY_MEMORY, fence: 4 }, { hold: HOLD, writer: 'w', floor: 0 })
  assert.is(taken.fence, 5)
  assert.is(withHold(EMPTY_MEMORY, { hold: HOLD, writer: 'w', floor: 11 }).fence, 12)
})

test('renewing and giving back keep everything else', () => {
  const taken = withHold(EMPTY_MEMORY, { hold: HOLD, writer: 'w', floor: 0 })
  const renewed = withRenewal(taken, '2026-01-01T00:00:10.000Z')
  assert.equal(renewed, { ...taken, hold: { ...HOLD, renewedAt: '2026-01-01T00:00:10.000Z' } })
  assert.equal(withoutHold(renewed).hold, { ...renewed.hold, released: true })
})

test('what is written is read', () => {
  const memory = withEntry(withHold(EMPTY_MEMORY, { hold: HOLD, writer: 'w', floor: 0 }), entry('begun'))
  assert.equal(parseMemory(renderMemory(memory)), memory)
})

test('the journal keeps its newest lines', () => {
  let memory = EMPTY_MEMORY
  for (let line = 0; line < 250; line++) memory = withEntry(memory, entry(`e${line}`))
  assert.is(memory.journal.length, 200)
  assert.is(memory.journal.at(-1)?.event, 'e249')
})

test('a document is never too large for a config: the oldest lines make room', () => {
  let memory = EMPTY_MEMORY
  for (let line = 0; line < 200; line++)
    memory = withEntry(memory, { ...entry(`e${line}`), detail: 'ü'.repeat(5000) })
  const text = renderMemory(memory)
  assert.ok(Buffer.byteLength(text) <= 400_000)
  assert.is(parseMemory(text).journal.at(-1)?.event, 'e199')
})

test('states are numbered for each fleet by itself, the oldest first', () => {
  const names = [
    memoryName('a', 10),
    memoryName('a', 9),
    memoryName('ab', 11),
    'longshore.a.memory.x',
    'other',
  ]
  assert.equal(findNumbers(names, 'a'), [9, 10])
})

function entry(event: string): JournalEntry {
  return { at: '2026-01-01T00:00:00.000Z', run: 'r', owner: HOLD.owner, event, detail: '' }
}

test.run()
