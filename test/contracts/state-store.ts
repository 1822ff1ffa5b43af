import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EMPTY_RECORD, type FleetRecord, type JournalEntry } from '../../lib/domain/record.ts'
import type { Claim, StateStore } from '../../lib/ports/state-store.ts'
import { rejectsWith } from '../support/errors.ts'
import { eventually } from '../support/eventually.ts'
import type { Register } from './side-by-side.ts'

export type StateStoreSubject = {
  /** A store that nobody has used. */
  readonly store: StateStore
  /** The same fleet's store as another operator opens it. */
  readonly other: StateStore
  /** Makes whoever holds the lock appear dead, so that its lease may be taken over. */
  abandon(): Promise<void>
}

const ANNA: Claim = { owner: 'anna@north 1', doing: 'update-indices dg_8' }
const BEN: Claim = { owner: 'ben@south 2', doing: 'rollback' }
const RECORD: FleetRecord = {
  ...EMPTY_RECORD,
  frozen: {
    generation: { name: 'dg_8', digest: 'sha256:8' },
    since: '2026-01-01T00:00:00.000Z',
    by: ANNA.owner,
  },
}

/** Registers the promises of the port StateStore as tests, each on a subject of its own; `register` may run some at once. */
export function describeStateStore(
  name: string,
  makeSubject: () => Promise<StateStoreSubject>,
  register: Register = test,
): void {
  const promise = (promised: string, check: (subject: StateStoreSubject) => Promise<void>) =>
    register(`${name} ${promised}`, async () => check(await makeSubject()))

  promise('begins with an empty record and an empty journal', async ({ store }) => {
    assert.equal(await store.read(), EMPTY_RECORD)
    assert.equal(await store.journal(), [])
  })

  promise('remembers what was written under a lease, for every operator', async ({ store, other }) => {
    const lease = await store.acquire(ANNA)
    await store.write(RECORD, lease)
    await lease.release()
    assert.equal(await other.read(), RECORD)
  })

  promise('keeps the journal in the order in which it was written, for every operator', async (subject) => {
    const { store, other } = subject
    const first = await store.acquire(ANNA)
    await store.append(makeEntry('begun'), first)
    await store.append(makeEntry('done'), first)
    await first.release()
    const second = await other.acquire(BEN)
    await other.append(makeEntry('begun again'), second)
    await second.release()
    const events = (await store.journal()).map((entry) => entry.event)
    assert.equal(events, ['begun', 'done', 'begun again'])
    assert.equal((await store.journal())[0], makeEntry('begun'))
  })

  promise('tells a second operator who works, since when and doing what', async ({ store, other }) => {
    const lease = await store.acquire(ANNA)
    const error = await rejectsWith(other.acquire(BEN), 'locked', /anna@north 1.*update-indices dg_8/)
    assert.match(error.message, /since \d{4}-\d\d-\d\dT/)
    await lease.release()
  })

  promise('names who holds the lock, and takes nothing by asking', async ({ store, other }) => {
    assert.is(await other.findHolder(), undefined)
    const lease = await store.acquire(ANNA)
    assert.match(String(await other.findHolder()), /anna@north 1.*update-indices dg_8/)
    await lease.release()
    assert.is(await other.findHolder(), undefined)
  })

  promise('lets the next operator in once the lease was given back', async ({ store, other }) => {
    await (await store.acquire(ANNA)).release()
    const lease = await other.acquire(BEN)
    await rejectsWith(store.acquire(ANNA), 'locked', /ben@south 2/)
    await lease.release()
  })

  promise('gives every lease a larger fence', async ({ store, other }) => {
    const fences = []
    for (const each of [store, other, store]) {
      const lease = await each.acquire(ANNA)
      fences.push(lease.fence)
      await lease.release()
    }
    assert.ok(fences[0]! < fences[1]! && fences[1]! < fences[2]!, fences.join())
  })

  promise('lets the lock of a dead owner be taken over', async ({ store, other, abandon }) => {
    const lost = await store.acquire(ANNA)
    await abandon()
    const lease = await other.acquire(BEN)
    assert.ok(lease.fence > lost.fence)
    await lease.release()
  })

  promise('refuses writes under a lease that was lost, and says so to its owner', async (subject) => {
    const { store, other, abandon } = subject
    const lost = await store.acquire(ANNA)
    await abandon()
    const lease = await other.acquire(BEN)
    await other.write(RECORD, lease)
    await rejectsWith(store.write(EMPTY_RECORD, lost), 'locked')
    await rejectsWith(store.append(makeEntry('late'), lost), 'locked')
    assert.equal(await store.read(), RECORD)
    assert.equal(await store.journal(), [])
    await eventually(() => assert.ok(lost.lost.aborted))
    await lease.release()
  })

  promise('refuses writes under a lease that was given back', async ({ store }) => {
    const lease = await store.acquire(ANNA)
    await lease.release()
    await rejectsWith(store.write(RECORD, lease), 'locked')
    assert.equal(await store.read(), EMPTY_RECORD)
  })

  promise('releases no lease but the own', async ({ store, other, abandon }) => {
    const lost = await store.acquire(ANNA)
    await abandon()
    const lease = await other.acquire(BEN)
    await lost.release()
    await rejectsWith(store.acquire(ANNA), 'locked', /ben@south 2/)
    await lease.release()
  })

  promise('may be released twice', async ({ store, other }) => {
    const first = await store.acquire(ANNA)
    await first.release()
    const second = await other.acquire(BEN)
    await first.release()
    await other.write(RECORD, second)
    await second.release()
  })
}

function makeEntry(event: string): JournalEntry {
  return { at: '2026-01-01T00:00:00.000Z', run: 'r1', owner: ANNA.owner, event, detail: 'dg_8' }
}
