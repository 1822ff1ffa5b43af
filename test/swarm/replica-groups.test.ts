import { test } from 'uvu'
import { createGroupSeries } from './support/group-series.ts'
import { createOtherOperator } from './support/other-operator.ts'
import { scenario } from './support/scenario.ts'

const { fleet, begins, expectMoved, endsUnharmed } = createGroupSeries({
  sound: ['dg_1', 'dg_2'],
  faults: { second: { dg_3: 'crash' } },
})

begins()

scenario('moves one group after the other', async () => {
  await expectMoved(await fleet().run('update-indices', 'dg_2'), 0, 'dg_2')
})

scenario('goes back when the group that moves first fails', async () => {
  await expectMoved(await fleet().run('update-indices', 'dg_3'), 20, 'dg_2')
})

scenario('rolls back from a machine that has only the profile and a key', async () => {
  const start = await createOtherOperator(fleet())
  await expectMoved(await start('rollback').ended, 0, 'dg_1')
})

endsUnharmed(['dg_1', 'dg_2'])

test.run()
