import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EMPTY_RECORD, type FleetRecord, type Release, type Run } from '../../lib/domain/record.ts'
import {
  findCompanion,
  findQuarantine,
  historyOf,
  isFrozen,
  withQuarantine,
  withRelease,
} from '../../lib/domain/record-rules.ts'
import { refTo } from '../support/model-fleet.ts'

/** Releases from a text: `U7 U8 R7` are two updates and a rollback. */
function releasesOf(text: string): Release[] {
  return text.split(' ').map((word, index) => ({
    id: index + 1,
    generation: refTo(Number(word.slice(1))),
    command: word.startsWith('U') ? 'update' : 'rollback',
    at: '2026-01-01T00:00:00.000Z',
    by: 'tester',
  }))
}

const histories: Record<string, string[]> = {
  'U6 U7 U8': ['dg_6', 'dg_7', 'dg_8'],
  'U6 U7 U8 R7': ['dg_6', 'dg_7'],
  'U6 U7 U8 R7 R6': ['dg_6'],
  'U6 U7 U8 R6': ['dg_6'],
  'U6 U7 R6 U8': ['dg_6', 'dg_8'],
  'U6 U7 R6 R7': ['dg_6', 'dg_7'],
  'U6 U7 U7': ['dg_6', 'dg_7'],
}
for (const [releases, expected] of Object.entries(histories)) {
  test(`goes back through ${expected.join(', ')} after ${releases}`, () => {
    assert.equal(
      historyOf(releasesOf(releases)).map(({ name }) => name),
      expected,
    )
  })
}

test('keeps the last other generation as companion, unless it is quarantined', () => {
  const record: FleetRecord = { ...EMPTY_RECORD, releases: releasesOf('U6 U7 U8') }
  assert.is(findCompanion(record, refTo(8))?.name, 'dg_7')
  const bad = { generation: refTo(7), content: null, reason: 'bad', at: '' }
  assert.is(findCompanion(withQuarantine(record, bad), refTo(8))?.name, 'dg_6')
})

test('recognises bad content under another number, and nothing else', () => {
  const bad = { generation: refTo(7), content: 'sha256:content', reason: 'bad', at: '' }
  const record = withQuarantine(EMPTY_RECORD, bad)
  assert.ok(findQuarantine(record, refTo(7)))
  assert.ok(findQuarantine(record, refTo(8), 'sha256:content'))
  assert.not(findQuarantine(record, refTo(8), 'sha256:other'))
  const unknown = withQuarantine(EMPTY_RECORD, { ...bad, content: null })
  assert.not(findQuarantine(unknown, refTo(8), null))
})

test('freezes what a rollback leaves, and ends it with an update', () => {
  const run: Run = {
    id: 'x',
    command: 'rollback',
    target: refTo(7),
    former: refTo(8),
    phase: 'forward',
    reason: null,
    startedAt: '',
    owner: 'tester',
  }
  const frozen = withRelease({ ...EMPTY_RECORD, run }, run, 'now', 'tester')
  assert.ok(isFrozen(frozen, refTo(8)))
  assert.not(isFrozen(frozen, refTo(7)))
  assert.is(frozen.run, null)
  const update: Run = { ...run, command: 'update', target: refTo(9), former: refTo(7) }
  assert.is(withRelease(frozen, update, 'now', 'tester').frozen, null)
})

test.run()
