import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { renderGates } from '../../lib/cli/render-gates.ts'
import { renderPlan } from '../../lib/cli/render-plan.ts'
import type { Plan, Step } from '../../lib/domain/plan.ts'
import { measureWidth, renderTable } from '../../lib/domain/table.ts'

const PLAN: Plan = {
  steps: [
    {
      batch: 1,
      action: 'deliver',
      target: 'dg_8',
      node: 'node-1',
      bytes: 3 * 1024 ** 2,
      cause: 'node-1 lacks dg_8',
    },
    { batch: 10, action: 'switch', target: 'gateway', cause: 'the gateway routes by dg_7' },
  ],
}

test('tells what leaves this machine at most, how long that takes, and what that is told from', () => {
  const [delivery] = PLAN.steps
  const steps = ['n1', 'n2'].map((node) => ({
    ...delivery!,
    node,
    sent: 1.5 * 1024 ** 2,
  }))
  const told = (estimate: Partial<Step>) =>
    renderPlan({ steps: steps.map((step) => ({ ...step, ...estimate })) })
  const carried = '6.0 MiB to carry (at most 3.0 MiB from here, '
  assert.match(told({}), `${carried}time unknown until measured)\n`)
  assert.match(
    told({ estimatedMs: 90_000, estimatedFrom: 'limits' }),
    `${carried}about 1 min 30 s by the limits)\n`,
  )
  const estimatedFrom = '2026-11-20T03:00:00.000Z'
  assert.match(
    told({ estimatedMs: 90_000, estimatedFrom }),
    `${carried}about 1 min 30 s from the delivery of 2026-11-20)\n`,
  )
})

test('aligns columns by the width that a terminal gives them', () => {
  const lines = renderTable(
    [
      ['a', '1'],
      ['\u001b[32mgrün\u001b[39m', '10'],
      ['漢字', '100'],
    ],
    { right: [1], head: ['name', 'n'] },
  ).split('\n')
  assert.equal(
    lines.slice(0, 4).map((line) => measureWidth(line)),
    [9, 9, 9, 9],
  )
  assert.is(lines[1], 'a       1')
})

test('counts marks as one column and wide characters as two', () => {
  assert.is(measureWidth('✔ ok'), 4)
  assert.is(measureWidth('漢字'), 4)
  assert.is(measureWidth('🚀'), 2)
  assert.is(measureWidth('e\u0301'), 1)
})

test('shows a plan with causes, sizes and its sum', () => {
  assert.is(
    renderPlan(PLAN),
    [
      'batch  action   target   node      bytes  cause',
      '    1  deliver  dg_8     node-1  3.0 MiB  node-1 lacks dg_8',
      '   10  switch   gateway                   the gateway routes by dg_7',
      '2 steps in 2 batches, 3.0 MiB to carry',
      '',
    ].join('\n'),
  )
})

test('says that an empty plan is nothing to do', () => {
  assert.is(renderPlan({ steps: [] }), 'Nothing to do.\n')
})

test('shows gates with measured value, limit, verdict and detail', () => {
  const text = renderGates([
    { name: 'recall', measured: 0.98765, limit: '>= 0.9', passed: true },
    { name: 'selfRouting', measured: 0.062, limit: '>= 0.9', passed: false, detail: 'clust_2 has least' },
  ])
  assert.is(
    text,
    [
      '   gate         measured  limit   detail',
      '✔  recall         0.9877  >= 0.9',
      '✖  selfRouting     0.062  >= 0.9  clust_2 has least',
      '',
    ].join('\n'),
  )
})

test.run()
