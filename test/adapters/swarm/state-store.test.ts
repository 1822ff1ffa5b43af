import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createManager } from '../../../lib/adapters/swarm/docker-client.ts'
import { createMemoryLog } from '../../../lib/adapters/swarm/memory-log.ts'
import { createSwarmStateStore } from '../../../lib/adapters/swarm/state-store.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import { EMPTY_RECORD, type JournalEntry } from '../../../lib/domain/record.ts'
import { EMPTY_MEMORY, memoryName } from '../../../lib/domain/swarm-memory.ts'
import type { RemoteShell } from '../../../lib/ports/remote-shell.ts'
import type { Claim } from '../../../lib/ports/state-store.ts'
import { sideBySide } from '../../contracts/side-by-side.ts'
import { describeStateStore } from '../../contracts/state-store.ts'
import { rejectsWith } from '../../support/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeDocker } from './fake-docker.ts'
import { AT_ONCE, hasSwarm, makeSettings, makeShell } from './swarm-engine.ts'

const signal = new AbortController().signal
const ANNA = { owner: 'anna@north 1', doing: 'update-indices dg_8' }
const BEN = { owner: 'ben@south 2', doing: 'rollback' }
const LEASE_SECONDS = 1

describeStateStore(
  'the swarm state store, on configs in memory,',
  async () => {
    const docker = new FakeDocker()
    return makeSubject('demo', (before) => docker.shell({ ...(before && { before }) }))
  },
  sideBySide(AT_ONCE),
)

if (hasSwarm()) {
  describeStateStore(
    'the swarm state store',
    async () =>
      makeSubject(makeSettings().fleet, (before) => makeShell(before && (({ argv }) => before(argv)))),
    sideBySide(AT_ONCE),
  )
}

test('a lease in use is renewed, so that nobody takes it over', async () => {
  const docker = new FakeDocker()
  const lease = await open(docker.shell()).acquire(ANNA)
  await eventually(() => assert.ok(docker.configs.has(memoryName('demo', 6))))
  docker.now = () => Date.now() + 60_000
  await rejectsWith(open(docker.shell()).acquire(BEN), 'locked', /anna@north 1/)
  await lease.release()
})

test('a lock is not taken over sooner than a whole lease time after it was first seen, whatever clocks say', async () => {
  const docker = new FakeDocker()
  const cut = makeCut()
  await open(docker.shell(cut)).acquire(ANNA)
  cut.isCut = true
  docker.now = () => Date.now() + 60_000
  const from = performance.now()
  const lease = await open(docker.shell()).acquire(BEN)
  assert.ok(performance.now() - from >= LEASE_SECONDS * 1000)
  await lease.release()
})

test('what is asked for at once is written as one state, in its order', async () => {
  const docker = new FakeDocker()
  const store = open(docker.shell(), 3)
  const lease = await store.acquire(ANNA)
  const generation = { name: 'dg_1', digest: 'sha256:1' }
  const releases = [{ id: 1, generation, command: 'update', at: '', by: '' } as const]
  await Promise.all([
    store.append(entry('first'), lease),
    store.write({ ...EMPTY_RECORD, releases }, lease),
    store.append(entry('second'), lease),
  ])
  assert.equal([...docker.configs.keys()], [memoryName('demo', 1), memoryName('demo', 2)])
  assert.equal(
    (await store.journal()).map(({ event }) => event),
    ['first', 'second'],
  )
  assert.equal((await store.read()).releases, releases)
  await lease.release()
})

test('an answer that was lost on the way is no lost lock, and nothing is written twice', async () => {
  const docker = new FakeDocker()
  let isLosing = false
  const after = (argv: readonly string[]) => {
    if (!isLosing || !argv.includes('create')) return
    isLosing = false
    throw new LongshoreError('remote', 'n1 was lost')
  }
  const store = open(docker.shell({ after }), 3)
  isLosing = true
  const lease = await store.acquire(ANNA)
  isLosing = true
  await store.append(entry('once'), lease)
  assert.equal(
    (await store.journal()).map(({ event }) => event),
    ['once'],
  )
  assert.not(lease.lost.aborted)
  await lease.release()
})

test('of two operators who find the lock free at once, one takes it', async () => {
  const docker = new FakeDocker()
  const both = await Promise.allSettled([ANNA, BEN].map((claim) => open(docker.shell()).acquire(claim)))
  assert.equal(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  for (const one of both) if (one.status === 'fulfilled') await one.value.release()
})

test('a silence of all managers costs nobody the lock', async () => {
  const docker = new FakeDocker()
  const cut = makeCut()
  const store = open(docker.shell(cut), 0.3)
  const lease = await store.acquire(ANNA)
  cut.isCut = true
  const end = performance.now() + 1000
  await eventually(() => assert.ok(performance.now() > end))
  cut.isCut = false
  await store.append(entry('after'), lease)
  assert.not(lease.lost.aborted)
  await lease.release()
})

test('renewals that fail for long keep nobody waiting behind them', async () => {
  const docker = new FakeDocker()
  const cut = makeCut()
  const fast = docker.shell(cut)
  // As a machine that takes its time to be out of reach.
  const slow: RemoteShell['run'] = async (node, argv, options) => {
    if (cut.isCut) await new Promise((resolve) => setTimeout(resolve, 400))
    return await fast.run(node, argv, options)
  }
  const lease = await open({ ...fast, run: slow }, 0.3).acquire(ANNA)
  cut.isCut = true
  const end = performance.now() + 2500
  await eventually(() => assert.ok(performance.now() > end))
  const from = performance.now()
  await lease.release()
  assert.ok(performance.now() - from < 2000, `${performance.now() - from} ms`)
})

test('whoever comes back after many changes can write nothing, though the next number is free again', async () => {
  const docker = new FakeDocker()
  const cut = makeCut()
  const store = open(docker.shell(cut), 3)
  const lost = await store.acquire(ANNA)
  cut.isCut = true
  const log = createMemoryLog(createManager(docker.shell(), ['n1']), 'demo')
  const memory = { ...EMPTY_MEMORY, fence: 2 }
  for (let number = 2; number <= 20; number++) await log.create(number, memory, { signal })
  await log.prune(20, { signal })
  assert.not(docker.configs.has(memoryName('demo', 2)))
  cut.isCut = false
  await rejectsWith(store.write({ ...EMPTY_RECORD, releases: [] }, lost), 'locked')
  assert.ok(lost.lost.aborted)
})

test('keeps the newest states only', async () => {
  const docker = new FakeDocker()
  const store = open(docker.shell(), 0.3)
  const lease = await store.acquire(ANNA)
  await eventually(() => assert.ok(docker.configs.has(memoryName('demo', 25))))
  assert.ok(docker.configs.size <= 16, `${docker.configs.size} states`)
  await lease.release()
})

test('fences keep growing when the memory was deleted: services remember the largest', async () => {
  const docker = new FakeDocker()
  const lease = await open(docker.shell(), LEASE_SECONDS, 41).acquire(ANNA)
  assert.is(lease.fence, 42)
  await lease.release()
})

test('a lock that was lost is told to whoever wants to change a service', async () => {
  const docker = new FakeDocker()
  const store = open(docker.shell(), 3)
  assert.is(await store.readFence(signal), 0)
  const lease = await store.acquire(ANNA)
  assert.is(await store.readFence(signal), lease.fence)
  const log = createMemoryLog(createManager(docker.shell(), ['n1']), 'demo')
  await log.create(2, { ...EMPTY_MEMORY, fence: 2, writer: 'ben' }, { signal })
  await rejectsWith(store.readFence(signal), 'locked')
})

test('a damaged memory is told with its name', async () => {
  const docker = new FakeDocker()
  docker.configs.set(memoryName('demo', 1), { text: '{', createdAt: 0 })
  await rejectsWith(open(docker.shell()).read(), 'corrupt', /longshore\.demo\.memory\.1/)
})

function open(shell: RemoteShell, leaseSeconds = LEASE_SECONDS, floor = 0) {
  const manager = createManager(shell, ['n1'])
  return createSwarmStateStore({ manager, fleet: 'demo', leaseSeconds, readFloor: async () => floor, signal })
}

function makeCut() {
  const cut = {
    isCut: false,
    before: (argv: readonly string[]) => {
      if (cut.isCut && argv.includes('create')) throw new LongshoreError('remote', 'n1 cannot be reached')
    },
  }
  return cut
}

function makeSubject(fleet: string, shellOf: (before?: (argv: readonly string[]) => void) => RemoteShell) {
  const cut = makeCut()
  const openOne = (before?: (argv: readonly string[]) => void) =>
    createSwarmStateStore({
      manager: createManager(shellOf(before), ['n1']),
      fleet,
      leaseSeconds: 2,
      readFloor: async () => 0,
      signal,
    })
  const log = createMemoryLog(createManager(shellOf(), ['n1']), fleet)
  const other = openOne()
  return {
    store: openOne(cut.before),
    other: {
      ...other,
      acquire: async (claim: Claim) => {
        const lease = await other.acquire(claim)
        cut.isCut = false
        return lease
      },
    },
    // The operator's way to the managers is cut, until somebody else has the lock.
    abandon: async () => {
      cut.isCut = true
      const { createdAt } = await log.readHead({ signal })
      await eventually(async () =>
        assert.ok((await log.readClock({ signal })) - Date.parse(createdAt) > 2000),
      )
    },
  }
}

function entry(event: string): JournalEntry {
  return { at: '2026-01-01T00:00:00.000Z', run: 'r', owner: ANNA.owner, event, detail: '' }
}

test.run()
