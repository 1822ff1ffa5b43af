import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { indexServiceName } from '../../lib/domain/service.ts'
import { startAsking } from '../support/asking.ts'
import { makeGeneration } from '../support/generation.ts'
import { makeQuestions } from '../support/questions.ts'
import { type SearchSystem, startSearchSystem } from '../support/search-system.ts'
import { call, renderRefs, type ServiceProcess, startService, waitUntilReady } from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'

const directory = makeTempDir()
const texts = makeQuestions('query', 120).map(({ text }) => text)
let manifest: Manifest
let system: SearchSystem
const replicas: ServiceProcess[] = []

test.before(async () => {
  manifest = await makeGeneration(directory, { dimensions: 32, clusters: 2 })
  system = await startSearchSystem(directory, manifest)
})
test.after(async () => {
  for (const { process } of replicas) process.kill('SIGKILL')
  await system.stop()
})

/** A second replica of the first shard. */
async function startReplica(): Promise<ServiceProcess> {
  const GENERATIONS = renderRefs([manifest])
  const replica = await startService('index', { DATA_DIR: directory, CLUSTER: '0', GENERATIONS })
  replicas.push(replica)
  await system.setEndpoints(indexServiceName(0), [system.indexes.get(0)!.url, replica.url])
  return replica
}

for (const HEDGE_SHARE of ['0.05', '0']) {
  test(`answers every query while a replica is frozen and when it dies, with a hedge share of ${HEDGE_SHARE}`, async () => {
    const replica = await startReplica()
    const gateway = await system.startGateway({ HEDGE_SHARE, CACHE_ENTRIES: '0', TIMEOUT_MS: '5000' })
    await waitUntilReady(gateway)
    const asking = startAsking(gateway.url, texts, 2)
    // Whichever of them was asked more, it is frozen once.
    for (const { process } of [replica, system.indexes.get(0)!]) {
      await asking.moreThan(100)
      process.kill('SIGSTOP')
      await asking.moreThan(300)
      process.kill('SIGCONT')
    }
    await asking.moreThan(100)
    replica.process.kill('SIGSTOP')
    await asking.moreThan(100)
    replica.process.kill('SIGKILL')
    await once(replica.process, 'exit')
    await asking.moreThan(100)
    assert.equal((await asking.stop()).slice(0, 3), [])
    const { body } = await call(`${gateway.url}/metrics`)
    assert.match(body, /longshore_shard_(retries|hedges)_total\{cluster="0"[^}]*\} [1-9]/)
    if (HEDGE_SHARE === '0') assert.not.match(body, /longshore_shard_hedges_total\{[^}]*\} [1-9]/)
  })
}

test.run()
