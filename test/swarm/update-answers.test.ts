import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { expectRun, expectServed } from './support/expectations.ts'
import { spoilCopy } from './support/faulty-image.ts'
import { scenario } from './support/scenario.ts'
import { createUpdateSeries } from './support/update-series.ts'

/** What bad generations have to leave: the release that was gone back to, alone. */
const FIRST = { serving: 'dg_1' }

const { fleet, begin, answered, goesBack, endsUnharmed } = createUpdateSeries({
  sound: ['dg_4'],
  faults: { dg_6: 'wrong', dg_8: 'slow' },
  deadlineSeconds: 30,
})

scenario('goes back to a first generation', async () => {
  await begin()
  await expectRun(fleet(), ['update-indices', 'dg_2'], { code: 0, serving: 'dg_2', beside: 'dg_1' })
  await expectRun(fleet(), ['rollback'], { code: 0, serving: 'dg_1', beside: 'dg_2' })
  await answered(200)
})

scenario('goes back from a generation that one node spoils while it is loaded', async () => {
  const update = fleet().start('update-indices', 'dg_4')
  const node = await eventually(async () => {
    const served = Object.entries(await fleet().readServed('index_0'))
    const found = served.find(([, generations]) => generations.includes('dg_4'))
    if (!found && !update.hasEnded()) throw new Error('no task holds dg_4 yet')
    return found?.[0].split(' ')[0] ?? 'no task held it'
  }, 120_000)
  await spoilCopy(fleet().lab, node, 'dg_4')
  const { code, json, stderr } = await update.ended
  assert.is(code, 20, stderr)
  assert.match(json.error.message, `on ${node} does not answer golden queries of dg_4 rightly`)
  await expectServed(fleet(), FIRST)
  await expectRun(fleet(), ['update-indices', 'dg_4'], { code: 14, ...FIRST })
})

goesBack('dg_6', 'answers golden queries wrongly', { words: /golden quer/, standing: FIRST })
goesBack('dg_8', 'gets slow', { words: /gateway.*not ready in time/s, standing: FIRST })

endsUnharmed(['dg_1', 'dg_2'])

test.run()
