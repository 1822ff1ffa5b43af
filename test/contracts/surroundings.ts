import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import type { Surroundings } from '../../lib/ports/surroundings.ts'

export type SurroundingsSubject = {
  /** Surroundings in which all is well. */
  readonly sound: Surroundings
  /** The same where nothing and nobody answers. */
  readonly silent: Surroundings
}

/** Registers the promises of the port Surroundings as tests. */
export function describeSurroundings(name: string, makeSubject: () => SurroundingsSubject): void {
  test(`${name} find nothing amiss where all is well`, async () => {
    const { findings, silent } = await makeSubject().sound.examine(new AbortController().signal)
    assert.equal([findings.filter(({ state }) => state !== 'ok'), silent], [[], []])
  })

  test(`${name} answer when their time is up, and say of everything amiss what to do next`, async () => {
    const limit = new AbortController()
    const examined = makeSubject().silent.examine(limit.signal)
    setImmediate(() => limit.abort(new LongshoreError('remote', 'no answer within 12 s')))
    const { findings } = await examined
    assert.equal(
      findings.filter(({ state, hint }) => state !== 'ok' && hint.length < 5),
      [],
    )
  })

  test(`${name} answer where there is no time at all`, async () => {
    const { silent } = await makeSubject().sound.examine(AbortSignal.abort(new Error('too late')))
    assert.ok(silent.every(({ problem }) => problem === 'too late'))
  })
}
