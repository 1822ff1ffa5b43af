import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Delivery, OpenQueue } from '../../lib/ports/work-queue.ts'
import { eventually } from '../support/eventually.ts'

export type WorkQueueSubject = {
  /** The same queue, as another worker opens it. */
  open(): Promise<OpenQueue>
  /** The most messages that it holds. */
  readonly capacity: number
  /** Makes whoever opened it appear dead, or silent for too long. */
  abandon(queue: OpenQueue): Promise<void>
}

/** Registers the promises of the port WorkQueue as tests, each on a subject of its own. */
export function describeWorkQueue(name: string, makeSubject: () => Promise<WorkQueueSubject>): void {
  const promise = (promised: string, check: (subject: WorkQueueSubject) => Promise<void>) =>
    test(`${name} ${promised}`, async () => check(await makeSubject()))

  promise('gives out messages in their order, each to one worker alone', async ({ open }) => {
    const [anna, ben] = [await open(), await open()]
    assert.ok(await anna.publish(['a', 'b', 'c', 'd']))
    const [first, second] = [await take(anna, 2), await take(ben, 2)]
    assert.equal(
      [bodies(first), bodies(second)],
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    )
    assert.equal(await anna.lease(2), [])
    assert.ok(first.every(({ sentAt }) => sentAt > 0))
    await closeAll(anna, ben)
  })

  promise('forgets what is done, for whoever opens it later too', async ({ open }) => {
    const queue = await open()
    await queue.publish(['a', 'b'])
    await queue.settle({ done: await take(queue, 1) })
    await queue.close()
    const later = await open()
    assert.equal(bodies(await take(later, 2)), ['b'])
    await later.close()
  })

  promise('gives again at once what is put back, or was held by one who has closed it', async ({ open }) => {
    const [anna, ben] = [await open(), await open()]
    await anna.publish(['a', 'b'])
    const [first] = await take(anna, 2)
    await anna.settle({ back: [first!] })
    assert.equal(bodies(await take(ben, 2)), ['a'])
    await anna.close()
    assert.equal(bodies(await take(ben, 2)), ['b'])
    await ben.close()
  })

  promise('gives to others what a worker held that was not heard of any more', async ({ open, abandon }) => {
    const [anna, ben] = [await open(), await open()]
    await anna.publish(['a', 'b', 'c'])
    await take(anna, 2)
    await abandon(anna)
    const taken: string[] = []
    await eventually(async () => {
      taken.push(...bodies(await ben.lease(3)))
      assert.is(taken.length, 3)
    })
    assert.equal(taken.sort(), ['a', 'b', 'c'])
    await ben.close()
  })

  promise('takes as done what was given to another meanwhile', async ({ open, abandon }) => {
    const [anna, ben] = [await open(), await open()]
    await anna.publish(['a'])
    const late = await take(anna, 1)
    await abandon(anna)
    const again = await eventually(async () => await take(ben, 1))
    await ben.settle({ done: late })
    await ben.settle({ done: again })
    const { waiting, held } = await ben.depth()
    assert.equal([waiting, held], [0, 0])
    await ben.close()
  })

  promise('keeps dead letters with the reason until they are published anew', async ({ open }) => {
    const queue = await open()
    await queue.publish(['a', 'b'])
    const [poison, other] = await take(queue, 2)
    await queue.settle({ dead: [{ delivery: poison!, reason: 'no picture' }], done: [other!] })
    assert.equal(
      (await queue.listDead(5)).map(({ body, reason }) => [body, reason]),
      [['a', 'no picture']],
    )
    assert.is(await queue.reviveDead(), 1)
    assert.equal(bodies(await take(queue, 5)), ['a'])
    assert.equal(await queue.listDead(5), [])
    assert.is(await queue.reviveDead(), 0)
    await queue.close()
  })

  promise('tells what waits, what is held, what is dead and since when', async ({ open }) => {
    const queue = await open()
    assert.equal(await queue.depth(), { waiting: 0, held: 0, dead: 0, oldestSentAt: undefined })
    const before = Date.now()
    await queue.publish(['a', 'b', 'c'])
    const [first] = await take(queue, 2)
    await queue.settle({ dead: [{ delivery: first!, reason: 'why not' }] })
    const { waiting, held, dead, oldestSentAt } = await queue.depth()
    assert.equal([waiting, held, dead], [1, 1, 1])
    // Clocks of two machines may differ.
    assert.ok(oldestSentAt !== undefined && Math.abs(oldestSentAt - before) < 60_000)
    await queue.close()
  })

  promise('takes no part of what it has no room for, and all of it once there is room', async (subject) => {
    const queue = await subject.open()
    const many = Array.from({ length: subject.capacity }, (_, index) => `m${index}`)
    assert.ok(await queue.publish(many))
    assert.not.ok(await queue.publish(['x', 'y']))
    assert.is((await queue.depth()).waiting, subject.capacity)
    await queue.settle({ done: await take(queue, 2) })
    assert.ok(await queue.publish(['x', 'y']))
    await queue.close()
  })

  promise(
    'gives every message out once among many workers that neither fail nor dawdle',
    async ({ open }) => {
      const workers = [await open(), await open(), await open()]
      const sent = Array.from({ length: 90 }, (_, index) => `m${index}`)
      await workers[0]!.publish(sent.slice(0, 60))
      const done: string[] = []
      const work = async (queue: OpenQueue) => {
        while (done.length < sent.length) {
          const portion = await queue.lease(7)
          await queue.settle({ done: portion })
          done.push(...bodies(portion))
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      await Promise.all([...workers.map(work), workers[1]!.publish(sent.slice(60))])
      assert.equal([...done].sort(), [...sent].sort())
      await closeAll(...workers)
    },
  )
}

/** As many messages as there should be. */
async function take(queue: OpenQueue, count: number): Promise<readonly Delivery[]> {
  return await eventually(async () => {
    const portion = await queue.lease(count)
    if (portion.length === 0) throw new Error('nothing is given out')
    return portion
  })
}

function bodies(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(({ body }) => body)
}

async function closeAll(...queues: readonly OpenQueue[]): Promise<void> {
  for (const queue of queues) await queue.close()
}
