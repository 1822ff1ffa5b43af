import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createGroupSeries } from './support/group-series.ts'
import { scenario } from './support/scenario.ts'

const { fleet, begins, expectMoved, endsUnharmed } = createGroupSeries({
  sound: ['dg_1'],
  faults: { first: { dg_4: 'crash' } },
})

begins()

scenario('goes back when the group fails that moves once the gateway has', async () => {
  const { json } = await expectMoved(await fleet().run('update-indices', 'dg_4'), 20, 'dg_1')
  assert.match(json.error.message, /load index_\d failed: .*more than this build bears/s)
})

endsUnharmed(['dg_1', 'dg_4'])

test.run()
