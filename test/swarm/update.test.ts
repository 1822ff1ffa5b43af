import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { editVectors, forgeGeneration } from '../support/damage.ts'
import { expectRun, expectServed } from './support/expectations.ts'
import { spoilCopy } from './support/faulty-image.ts'
import { createOtherOperator } from './support/other-operator.ts'
import { scenario } from './support/scenario.ts'
import { FLEET } from './support/swarm-fleet.ts'
import { readTaskTimes } from './support/task-times.ts'
import { createUpdateSeries } from './support/update-series.ts'

const FIRST = { serving: 'dg_1' }
const SECOND = { serving: 'dg_2', beside: 'dg_1' }
const BACK = { serving: 'dg_1', beside: 'dg_2' }

const { fleet, begin, answered, endsUnharmed } = createUpdateSeries({ perSecond: 350 })

scenario('serves a first generation on every task', async () => {
  await begin()
  await answered(200)
})

scenario('delivers again what a disk has spoiled since its delivery, and moves to it', async () => {
  await expectRun(fleet(), ['deliver', 'dg_2'], { code: 0, ...FIRST })
  await spoilCopy(fleet().lab, 'n2', 'dg_2')
  const update = await expectRun(fleet(), ['update-indices', 'dg_2'], { code: 0, ...SECOND })
  assert.match(update.stderr, /n2.*dg_2.*delivered again/)
  assert.is((await fleet().run('update-indices', 'dg_2')).json.outcome, 'nothing-to-do')
  await answered(200)
})

scenario('refuses a generation that fails a gate before any node has it', async () => {
  await forgeGeneration(fleet().path('dgs'), { from: 'dg_2', to: 'dg_3' }, async (copy) => {
    await editVectors(`${copy}/centroids.npy`, (values) => values.reverse())
    return undefined
  })
  await expectRun(fleet(), ['update-indices', 'dg_3'], { code: 13, ...SECOND })
  await expectRun(fleet(), ['update-indices', 'dg_3'], { code: 14, ...SECOND })
})

scenario('rolls back from a machine that has only the profile and a key, and stays there', async () => {
  const start = await createOtherOperator(fleet())
  const startedAt = Date.now()
  const rollback = await start('rollback').ended
  assert.is(rollback.code, 0, rollback.stderr)
  await expectServed(fleet(), BACK)
  const times = await readTaskTimes(fleet().lab, `${FLEET}_gateway`)
  const took = Math.max(...times.map(({ readyAt }) => readyAt)) - startedAt
  const starting = Math.min(...times.map(({ createdAt, readyAt }) => readyAt - createdAt))
  const ratio = (took / starting).toFixed(2)
  console.log(
    `rollback: every gateway task on dg_1 ${took} ms after the command, ${ratio} x the start of one (${starting} ms); promised: 2 x`,
  )
  await answered(200)
  await expectRun(fleet(), ['update-indices', 'dg_2'], { code: 14, ...BACK })
  assert.is((await start('rollback', '--to', 'dg_1').ended).json.outcome, 'nothing-to-do')
})

endsUnharmed(['dg_1', 'dg_2'])

test.run()
