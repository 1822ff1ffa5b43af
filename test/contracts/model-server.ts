import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ServiceOrder } from '../../lib/domain/model-service.ts'
import type { ModelServer } from '../../lib/ports/model-server.ts'
import { raised } from '../support/raised.ts'

export type ModelServerUnderTest = {
  readonly server: ModelServer
  /** A creation that the server takes. */
  readonly order: ServiceOrder
  /** One that it refuses, for its repository. */
  readonly wrong: ServiceOrder
  /** A request that it answers, and one that it refuses. */
  readonly request: Readonly<Record<string, unknown>>
  readonly refused: Readonly<Record<string, unknown>>
  /** Whether it tells parameters, repository and counts. */
  readonly tells: boolean
}

const signal = new AbortController().signal

/** What every server with DeepDetect's API must do, whatever its version. */
export function defineModelServerContract(name: string, open: () => Promise<ModelServerUnderTest>): void {
  test(`${name}: finds nothing under a name that is free`, async () => {
    const { server } = await open()
    assert.is(await server.find('nobody', signal), undefined)
    assert.is(await server.remove('nobody', 'mem', signal), false)
  })

  test(`${name}: creates a service once, tells of it, and deletes it`, async () => {
    const { server, order, tells } = await open()
    assert.is(await server.create('One', order, signal), true)
    assert.is(await server.create('one', order, signal), false)
    const found = await server.find('one', signal)
    assert.is(found?.name, 'one')
    assert.is(found?.mllib, order.mllib)
    if (tells) {
      assert.is(found?.repository, order.model.repository)
      assert.equal(found?.parameters, order.parameters)
    }
    assert.ok((await server.describe(signal)).services.includes('one'))
    assert.is(await server.remove('one', 'mem', signal), true)
    assert.is(await server.find('one', signal), undefined)
  })

  test(`${name}: refuses a repository that is not there, in its own words`, async () => {
    const { server, wrong } = await open()
    const error = await raised('remote', server.create('two', wrong, signal))
    assert.match(String(error), /not writable or does not exist/)
    assert.is(await server.find('two', signal), undefined)
  })

  test(`${name}: predicts, and counts what it answered and what it refused`, async () => {
    const { server, order, request, refused, tells } = await open()
    await server.create('three', order, signal)
    const answer = await server.predict('three', request, signal)
    assert.is(answer.problem, undefined)
    assert.is(answer.predictions.length, 1)
    assert.match((await server.predict('three', refused, signal)).problem ?? '', /could be found|1005/)
    assert.ok((await server.predict('nobody', request, signal)).problem)
    if (tells) assert.equal((await server.find('three', signal))?.stats, { successes: 1, failures: 1 })
    await server.remove('three', 'mem', signal)
  })
}
