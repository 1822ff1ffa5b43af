import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Device } from '../../lib/config/extraction-schema.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { extractionServiceName, type Task } from '../../lib/domain/service.ts'
import type { Context } from '../../lib/flows/context.ts'
import { findDeclaredModel } from '../../lib/flows/declared-models.ts'
import { createFleetServers } from '../../lib/flows/fleet-servers.ts'
import { runDevice } from '../../lib/flows/run-device.ts'
import { EmbedError } from '../../lib/ports/embedding-server.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { makeManifest } from '../support/fakes/manifest.ts'
import { raised } from '../support/raised.ts'

const PROFILE = `
engine: swarm
swarm: { managers: [node-1], image: "longshore:1" }
models:
  - { name: words, version: "1", dimensions: 2, metric: cosine, normalized: true, fingerprint: w, extraction: { onnx: models/words, replicas: 2 } }
`
const OWN = extractionServiceName({ fingerprint: 'w' })
const TEXTS = [{ kind: 'text', text: 'a' } as const]
const { signal } = new AbortController()

/** A Swarm in memory whose tasks are reached by their names. */
function makeWorld(gpus = 0) {
  const [before, after] = [makeManifest('dg_1'), makeManifest('dg_2')]
  const model = { ...after.model, name: 'words', dimensions: 2, fingerprint: 'w' }
  const underOther = makeManifest('dg_2', { model })
  const fleet = new FakeFleet([before, underOther], PROFILE)
  const open = new Set<string>()
  const context = {
    ...fleet.context(),
    workplace: {
      countGpus: async () => gpus,
      open: async ({ id }: Task) => {
        open.add(id)
        return { url: id, close: async () => void open.delete(id) }
      },
    },
  } as unknown as Context
  const asked: string[][] = []
  const connect = (_declared: unknown, endpoints: () => readonly string[]) => ({
    findProblem: async () => undefined,
    describe: async () => ({ limits: {} }),
    embed: async () => {
      asked.push([...endpoints()])
      const living = fleet.orchestrator.services.get(OWN)?.tasks.map(({ id }) => id) ?? []
      const gone = endpoints().find((id) => id.startsWith(`${OWN}.`) && !living.includes(id))
      if (gone) throw new EmbedError('transient', `${gone} is gone`)
      return { vectors: new Float32Array(2) }
    },
    close: async () => undefined,
  })
  const servers = createFleetServers({ context: () => context, connect })
  const openServer = (device: Device = 'auto') => {
    const { model, extraction } = findDeclaredModel(fleet.profile, 'words')
    return servers.open({ model, extraction: { ...extraction, device } })
  }
  return { fleet, context, servers, openServer, open, asked, underOther, before }
}

test('starts the service of a model with its replicas when it is first asked, once, and stops it in the end', async () => {
  const { fleet, servers, openServer, open, asked } = makeWorld()
  const [first, second] = [openServer(), openServer('cpu')]
  assert.equal(fleet.orchestrator.changes, [])
  await Promise.all([first.embed(TEXTS, signal), first.embed(TEXTS, signal)])
  await second.embed(TEXTS, signal)
  assert.equal(fleet.orchestrator.changes, [`change ${OWN}`])
  assert.is(asked[0]?.length, 2)
  const { settings, isOnGpu } = fleet.orchestrator.services.get(OWN)!.spec
  assert.equal(
    [settings.IMAGE?.slice(0, 12), settings.MODEL_DIR, isOnGpu],
    ['longshore:1-', '/model', undefined],
  )
  await servers.close()
  assert.equal(fleet.orchestrator.changes, [`change ${OWN}`, `remove ${OWN}`])
  assert.is(open.size, 0)
  assert.is(await fleet.state.findHolder(), undefined)
})

test('takes what a killed command left running, and stops that in the end', async () => {
  const { fleet, openServer } = makeWorld()
  await openServer().embed(TEXTS, signal)
  const next = createFleetServers({
    context: () => fleet.context({ workplace: fakeWays }) as unknown as Context,
    connect: () => silent,
  })
  await next.open(findDeclaredModel(fleet.profile, 'words')).embed(TEXTS, signal)
  await next.close()
  assert.equal(fleet.orchestrator.changes, [`change ${OWN}`, `remove ${OWN}`])
})

test('finds tasks again that were replaced, and starts a service that somebody stopped', async () => {
  const { fleet, servers, openServer, open, asked } = makeWorld()
  const server = openServer()
  await server.embed(TEXTS, signal)
  await fleet.orchestrator.remove(OWN, signal)
  assert.match(await server.embed(TEXTS, signal).then(String, String), 'is gone')
  await server.embed(TEXTS, signal)
  assert.is(fleet.orchestrator.changes.filter((change) => change === `change ${OWN}`).length, 2)
  assert.is.not(String(asked.at(-1)), String(asked[0]))
  assert.is(open.size, 2)
  await servers.close()
})

test('leaves a service that queries need by then, and one that an unfinished update may need', async () => {
  const { fleet, servers, openServer, underOther } = makeWorld()
  await openServer().embed(TEXTS, signal)
  const { generation: name, digest } = underOther
  const spec = {
    name: 'index_0',
    kind: 'index',
    cluster: 0,
    replicas: 1,
    nodes: ['node-1'],
    settings: {},
  } as const
  fleet.orchestrator.run({ ...spec, generations: [{ name, digest }] })
  await servers.close()
  assert.equal(fleet.orchestrator.changes, [`change ${OWN}`])
})

test('leaves a service where somebody else has the lock, and says who', async () => {
  const { fleet, servers, openServer } = makeWorld()
  await openServer().embed(TEXTS, signal)
  await fleet.state.acquire({ owner: 'other@there 2', doing: 'update-indices dg_2' })
  await servers.close()
  assert.equal(fleet.orchestrator.changes, [`change ${OWN}`])
  assert.match(fleet.notes.at(-1) ?? '', /still runs: locked by other@there 2/)
})

test('has a service of another name on a GPU for a run, of no more tasks than there are GPUs and in no network', async () => {
  const { fleet, servers, openServer } = makeWorld(1)
  await openServer('gpu').embed(TEXTS, signal)
  await openServer('auto').embed(TEXTS, signal)
  await openServer('cpu').embed(TEXTS, signal)
  const specs = [...fleet.orchestrator.services.values()].map(({ spec }) => spec)
  assert.equal(
    specs.map(({ name, replicas, isOnGpu, isApart }) => [name, replicas, isOnGpu, isApart]),
    [
      [`${OWN}_gpu`, 1, true, true],
      [OWN, 2, undefined, undefined],
    ],
  )
  await servers.close()
  assert.is(fleet.orchestrator.services.size, 0)
})

test('tells that no node offers a GPU where one is asked for, and takes the processor where nobody asks for one', async () => {
  const { context, fleet } = makeWorld()
  const declared = findDeclaredModel(fleet.profile, 'words')
  assert.is(await runDevice(context, declared, 'auto'), 'cpu')
  const error = await raised('usage', runDevice(context, declared, 'gpu'))
  assert.match(error.message, 'no node of the Swarm offers a GPU')
})

test('ends a run in the words of a task that does not start', async () => {
  const { fleet, servers, openServer } = makeWorld()
  fleet.orchestrator.failOn = () => new LongshoreError('remote', `${OWN}.1 ended: no such model`)
  const [outcome] = await Promise.allSettled([openServer().embed(TEXTS, signal)])
  const reason = outcome.status === 'rejected' ? (outcome.reason as EmbedError) : undefined
  assert.equal([reason?.fault, reason?.message], ['stop', `${OWN}.1 ended: no such model`])
  await servers.close()
})

const fakeWays = {
  countGpus: async () => 0,
  open: async ({ id }: Task) => ({ url: id, close: async () => undefined }),
}
const silent = {
  findProblem: async () => undefined,
  describe: async () => ({ limits: {} }),
  embed: async () => ({ vectors: new Float32Array(2) }),
  close: async () => undefined,
}

test.run()
