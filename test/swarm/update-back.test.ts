import { test } from 'uvu'
import { expectRun } from './support/expectations.ts'
import { scenario } from './support/scenario.ts'
import { createUpdateSeries } from './support/update-series.ts'

/** What bad generations have to leave: the release in service and the one before it. */
const SECOND = { serving: 'dg_2', beside: 'dg_1' }

const { fleet, begin, answered, goesBack, endsUnharmed } = createUpdateSeries({
  faults: { dg_5: 'crash', dg_7: 'unready' },
  deadlineSeconds: 30,
})

scenario('serves a second generation, and the first one beside it', async () => {
  await begin()
  await expectRun(fleet(), ['update-indices', 'dg_2'], { code: 0, ...SECOND })
  await answered(200)
})

goesBack('dg_5', 'crashes on load', { words: /index_\d.*more than this build bears/s, standing: SECOND })
goesBack('dg_7', 'never gets healthy', {
  words: /index_\d.*not ready in time.*is warming up/s,
  standing: SECOND,
})

endsUnharmed(['dg_1', 'dg_2'])

test.run()
