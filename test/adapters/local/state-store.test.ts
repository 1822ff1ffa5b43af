import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createLocalStateStore } from '../../../lib/adapters/local/state-store.ts'
import { identifyProcess, isDead } from '../../../lib/adapters/process/process-identity.ts'
import { EMPTY_RECORD, type JournalEntry } from '../../../lib/domain/record.ts'
import { describeStateStore } from '../../contracts/state-store.ts'
import { rejectsWith } from '../../support/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { ROOT } from '../../support/shared.ts'
import { makeTempDir } from '../../support/temp.ts'

const CLAIM = { owner: 'anna@north 1', doing: 'update-indices dg_8' }
const children: ChildProcess[] = []

test.after(() => {
  for (const child of children) child.kill('SIGKILL')
})

describeStateStore('the local state store', async () => {
  const state = makeTempDir()
  return {
    store: createLocalStateStore({ state, leaseSeconds: 1 }),
    other: createLocalStateStore({ state, leaseSeconds: 1 }),
    abandon: async () => expireLock(state),
  }
})

test('a lease in use is renewed, so that it never expires', async () => {
  const state = makeTempDir()
  const lease = await createLocalStateStore({ state, leaseSeconds: 0.3 }).acquire(CLAIM)
  const taken = readLock(state).renewedAt
  await eventually(() => assert.ok(Date.parse(readLock(state).renewedAt) > Date.parse(taken) + 600))
  await rejectsWith(
    createLocalStateStore({ state, leaseSeconds: 0.3 }).acquire(CLAIM),
    'locked',
    /expires at/,
  )
  await lease.release()
})

test('an expired lease is taken over although its process lives', async () => {
  const state = makeTempDir()
  const lost = await createLocalStateStore({ state, leaseSeconds: 60 }).acquire(CLAIM)
  const later = () => Date.now() + 61_000
  const lease = await createLocalStateStore({ state, leaseSeconds: 60, now: later }).acquire(CLAIM)
  assert.is(lease.fence, lost.fence + 1)
  await Promise.all([lost.release(), lease.release()])
})

test('the lock of a killed process is taken over at once', async () => {
  const state = makeTempDir()
  const child = startRacer(state, 3600, 'keep')
  await eventually(() => assert.ok(readLock(state).owner.startsWith('racer')))
  const store = createLocalStateStore({ state, leaseSeconds: 60 })
  await rejectsWith(store.acquire(CLAIM), 'locked', new RegExp(`racer ${child.pid}.*race`))
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await store.acquire(CLAIM)).release()
})

test('a process that got the number of a dead owner is not taken for it', () => {
  const self = identifyProcess()
  assert.not(isDead(self))
  assert.ok(isDead({ ...self, startTicks: '1' }))
  assert.not(isDead({ ...self, host: 'elsewhere', startTicks: '1' }))
})

test('a process that has ended counts as dead although nobody has collected it', async () => {
  // The shell's child ends soon, and the shell that has become sleep by then never asks for it.
  const shell = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(shell)
  const [output] = (await once(shell.stdout, 'data')) as [Buffer]
  const zombie = { ...identifyProcess(), pid: Number(String(output)), startTicks: null }
  await eventually(() => assert.ok(isDead(zombie)))
  assert.ok(process.kill(zombie.pid, 0))
})

test('of many processes that find a dead owner, exactly one takes the lock', async () => {
  const state = makeTempDir()
  await createLocalStateStore({ state, leaseSeconds: 60 }).acquire(CLAIM)
  expireLock(state)
  const racers = Array.from({ length: 8 }, () => startRacer(state, 3600, 'keep'))
  let taken = 0
  let locked = 0
  for (const racer of racers) {
    racer.stdout?.on('data', (data: Buffer) => {
      if (String(data).startsWith('took')) taken++
      else locked++
    })
  }
  await eventually(() => assert.is(taken + locked, racers.length), 30_000)
  assert.is(taken, 1)
  for (const racer of racers) racer.kill('SIGKILL')
})

test('processes that take turns never share a fence', async () => {
  const state = makeTempDir()
  const outputs = await Promise.all(
    Array.from({ length: 8 }, () => text(startRacer(state, 3600, 'work').stdout!)),
  )
  const fences = outputs.filter((output) => output.startsWith('took'))
  assert.ok(fences.length > 0)
  assert.is(new Set(fences).size, fences.length)
})

test('a torn last line of the journal is left out, and the next line stands on its own', async () => {
  const state = makeTempDir()
  const store = createLocalStateStore({ state, leaseSeconds: 60 })
  const lease = await store.acquire(CLAIM)
  await store.append(makeEntry('first'), lease)
  appendFileSync(join(state, 'journal.jsonl'), '{"at":"2026-01-0')
  assert.equal(await listEvents(store), ['first'])
  await store.append(makeEntry('second'), lease)
  assert.equal(await listEvents(store), ['first', 'second'])
  await lease.release()
})

test('a journal that is damaged in the middle is told with its line', async () => {
  const state = makeTempDir()
  writeFileSync(join(state, 'journal.jsonl'), '{"fence":1}\nrubbish\n{"fence":1}\n')
  await rejectsWith(
    createLocalStateStore({ state, leaseSeconds: 60 }).journal(),
    'corrupt',
    /journal\.jsonl:2/,
  )
})

test('a journal line that comes late from an older lease is not read', async () => {
  const state = makeTempDir()
  const store = createLocalStateStore({ state, leaseSeconds: 60 })
  const lease = await store.acquire(CLAIM)
  await store.append(makeEntry('mine'), lease)
  appendFileSync(join(state, 'journal.jsonl'), `${JSON.stringify({ ...makeEntry('late'), fence: 0 })}\n`)
  assert.equal(await listEvents(store), ['mine'])
  await lease.release()
})

test('a record that comes late from an older lease is not read', async () => {
  const state = makeTempDir()
  const store = createLocalStateStore({ state, leaseSeconds: 60 })
  const first = await store.acquire(CLAIM)
  await first.release()
  const second = await store.acquire(CLAIM)
  await store.write(EMPTY_RECORD, second)
  writeFileSync(join(state, 'record', `${first.fence}.json`), '{"frozen":{"by":"late"}}')
  assert.equal(await store.read(), EMPTY_RECORD)
  await second.release()
})

test('fences keep growing when the files of the lock are deleted', async () => {
  const state = makeTempDir()
  const store = createLocalStateStore({ state, leaseSeconds: 60 })
  for (let turn = 0; turn < 3; turn++) await (await store.acquire(CLAIM)).release()
  const former = await store.acquire(CLAIM)
  await store.write(EMPTY_RECORD, former)
  rmSync(join(state, 'lock'), { recursive: true })
  const lease = await store.acquire(CLAIM)
  assert.is(lease.fence, former.fence + 1)
  await Promise.all([former.release(), lease.release()])
})

test('a damaged record is told with its file', async () => {
  const state = makeTempDir()
  const store = createLocalStateStore({ state, leaseSeconds: 60 })
  const lease = await store.acquire(CLAIM)
  await store.write(EMPTY_RECORD, lease)
  await lease.release()
  writeFileSync(join(state, 'record', `${lease.fence}.json`), '{')
  await rejectsWith(store.read(), 'corrupt', /record\/\d+\.json/)
})

function startRacer(state: string, leaseSeconds: number, mode: 'keep' | 'work'): ChildProcess {
  const args = [`${ROOT}test/support/claim-lock.ts`, state, String(leaseSeconds), mode]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

/** Rewrites the newest lock as one whose lease has expired. */
function expireLock(state: string): void {
  writeFileSync(
    locateLock(state),
    JSON.stringify({ ...readLock(state), expiresAt: '2000-01-01T00:00:00.000Z' }),
  )
}

function readLock(state: string): { owner: string; renewedAt: string } {
  return JSON.parse(readFileSync(locateLock(state), 'utf8'))
}

function locateLock(state: string): string {
  const numbers = readdirSync(join(state, 'lock')).map((name) => Number.parseInt(name, 10))
  return join(state, 'lock', `${Math.max(...numbers)}.json`)
}

function makeEntry(event: string): JournalEntry {
  return { at: '2026-01-01T00:00:00.000Z', run: 'r1', owner: CLAIM.owner, event, detail: '' }
}

async function listEvents(store: ReturnType<typeof createLocalStateStore>): Promise<string[]> {
  return (await store.journal()).map((entry) => entry.event)
}

test.run()
