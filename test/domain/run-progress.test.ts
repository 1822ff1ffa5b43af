import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EMPTY_RECORD, type JournalEntry, type Run } from '../../lib/domain/record.ts'
import { findProgress } from '../../lib/domain/run-progress.ts'

const RUN: Run = {
  ...{ id: 'r2', command: 'update', target: { name: 'dg_2', digest: 'b' }, phase: 'forward', reason: null },
  ...{ former: { name: 'dg_1', digest: 'a' }, startedAt: 't0', owner: 'me@here 1', steps: 5 },
}
const entry = (run: string, at: string, event: string, detail: string): JournalEntry => ({
  ...{ run, at, event, detail },
  owner: 'me@here 1',
})
const JOURNAL = [
  entry('r1', 't-1', 'step-begin', '1 load index_9'),
  entry('r2', 't0', 'run-begin', 'update dg_1 -> dg_2'),
  entry('r2', 't1', 'step-begin', '1 load index_1'),
  entry('r2', 't2', 'step-begin', '1 load index_10'),
  entry('r2', 't3', 'step-done', '1 load index_1'),
  entry('r2', 't4', 'step-failed', '1 load index_10: it is: broken'),
  entry('r2', 't5', 'step-begin', '2 check index_1'),
]

test('tells the steps of the run on record, as its journal has them', () => {
  assert.equal(findProgress({ ...EMPTY_RECORD, run: RUN }, JOURNAL), {
    ...{ command: 'update', from: 'dg_1', to: 'dg_2', phase: 'forward', startedAt: 't0', owner: 'me@here 1' },
    steps: [
      { name: 'load index_1', state: 'done', startedAt: 't1', endedAt: 't3' },
      { name: 'load index_10', state: 'failed', startedAt: 't2', endedAt: 't4' },
      { name: 'check index_1', state: 'started', startedAt: 't5' },
    ],
    done: 1,
    total: 5,
  })
})

test('does not tell of how many steps a run has that goes back, or that did not write it down', () => {
  const { steps: _steps, ...untold } = RUN
  for (const run of [untold, { ...RUN, phase: 'compensating' as const }]) {
    assert.is(findProgress({ ...EMPTY_RECORD, run }, JOURNAL)?.total, null)
  }
})

test('tells of nothing where no run is on record', () => {
  assert.is(findProgress(EMPTY_RECORD, JOURNAL), null)
})

test.run()
