import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { withWait } from '../../lib/cli/wait-flag.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { raised } from '../support/raised.ts'

const context = new FakeFleet([]).context()

test('leaves a context as it is without --wait', () => {
  assert.is(withWait(context, undefined), context)
})

for (const wait of ['soon', '-1', '1.5', '30m', '']) {
  test(`refuses --wait "${wait}"`, async () => {
    const error = await raised(
      'usage',
      Promise.resolve().then(() => withWait(context, wait)),
    )
    assert.match(error.message, 'expected a whole number of seconds')
  })
}

test.run()
