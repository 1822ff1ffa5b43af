import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SqliteQueue } from '../../../lib/adapters/queue/sqlite-queue.ts'
import { describeWorkQueue } from '../../contracts/work-queue.ts'
import { rejectsWith } from '../../support/errors.ts'
import { mountSmallDisk } from '../../support/small-disk.ts'
import { makeTempDir } from '../../support/temp.ts'

const HOLD_MS = 60_000

describeWorkQueue('a queue of files', async () => {
  const path = join(makeTempDir(), 'queue.sqlite')
  let passedMs = 0
  const settings = { path, capacity: 100, holdMs: HOLD_MS, now: () => Date.now() + passedMs }
  return {
    capacity: settings.capacity,
    open: async () => new SqliteQueue(settings),
    abandon: async () => {
      passedMs += HOLD_MS + 1
    },
  }
})

test('holds for longer what a worker says that it still works on', async () => {
  let passedMs = 0
  const path = join(makeTempDir(), 'queue.sqlite')
  const settings = { path, capacity: 10, holdMs: 1000, now: () => passedMs }
  const [anna, ben] = [new SqliteQueue(settings), new SqliteQueue(settings)]
  await anna.publish(['a'])
  await anna.lease(1)
  passedMs = 900
  await anna.extend()
  passedMs = 1800
  assert.equal(await ben.lease(1), [])
  passedMs = 1900
  assert.is((await ben.lease(1)).length, 1)
  await anna.close()
  await ben.close()
})

test('gives up a message that ends every worker that takes it', async () => {
  let passedMs = 0
  const path = join(makeTempDir(), 'queue.sqlite')
  const queue = new SqliteQueue({ path, capacity: 10, holdMs: 1000, now: () => passedMs })
  await queue.publish(['poison', 'good'])
  for (let taken = 1; taken <= 50; taken++, passedMs += 1001) assert.is((await queue.lease(1)).length, 1)
  await queue.lease(1)
  assert.match((await queue.listDead(1))[0]!.reason, '50 workers took it')
  assert.equal(
    (await queue.lease(1)).map(({ body }) => body),
    ['good'],
  )
  await queue.close()
})

test('loses nothing and gives all again at once after kill -9 of its worker at any moment', async () => {
  const path = join(makeTempDir(), 'queue.sqlite')
  // Killed after a message was settled, a worker has not said so: it may be either.
  const [begun, done] = [new Set<string>(), new Set<string>()]
  let published = 0
  for (let round = 0; round < 4; round++) {
    const said = await runUntilKilled(path, published, 40)
    for (const [, word, value] of said.matchAll(/(published|settling|done) (\d+)\n/g)) {
      if (word === 'done') done.add(value!)
      else if (word === 'settling') begun.add(value!)
      else published = Number(value)
    }
  }
  const queue = new SqliteQueue({ path, capacity: 10, holdMs: 600_000 })
  const left = (await queue.lease(100_000)).map(({ body }) => body)
  const all = new Set([...begun, ...left])
  for (let number = 0; number < published; number++) assert.ok(all.has(String(number)), `${number} is lost`)
  assert.equal(
    left.filter((body) => done.has(body)),
    [],
  )
  await queue.close()
})

test('says that the disk is full, keeps what was there, and takes the same again once there is room', async () => {
  const directory = join(makeTempDir(), 'disk')
  const disk = mountSmallDisk(directory, 300_000)
  try {
    const queue = new SqliteQueue({
      path: join(directory, 'queue.sqlite'),
      capacity: 10_000,
      holdMs: HOLD_MS,
    })
    await queue.publish(['first'])
    const many = Array.from({ length: 100 }, (_, index) => `${index} ${'x'.repeat(5000)}`)
    await rejectsWith(queue.publish(many), 'remote', /no space left/)
    assert.equal(
      (await queue.lease(10)).map(({ body }) => body),
      ['first'],
    )
    disk.resize(8_000_000)
    assert.ok(await queue.publish(many))
    assert.is((await queue.lease(1000)).length, 100)
    await queue.close()
  } finally {
    disk.unmount()
  }
})

test.run()

/** What a worker said until it was killed, some lines after it had begun. */
async function runUntilKilled(path: string, first: number, lines: number): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'work-queue.mjs'), path, String(first)])
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (said.split('\n').length > lines) child.kill('SIGKILL')
  })
  await once(child, 'close')
  return said
}
