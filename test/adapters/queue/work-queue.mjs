/** Publishes, takes and finishes numbered messages for ever, and says what was promised: `work-queue.mjs PATH FIRST`. */
import { SqliteQueue } from '../../../lib/adapters/queue/sqlite-queue.ts'

const [, , path = '', first = '0'] = process.argv
const queue = new SqliteQueue({ path, capacity: 100_000, holdMs: 600_000 })
for (let number = Number(first); ; number += 3) {
  await queue.publish([`${number}`, `${number + 1}`, `${number + 2}`])
  process.stdout.write(`published ${number + 3}\n`)
  const [one] = await queue.lease(2)
  if (!one) continue
  process.stdout.write(`settling ${one.body}\n`)
  await queue.settle({ done: [one] })
  process.stdout.write(`done ${one.body}\n`)
}
