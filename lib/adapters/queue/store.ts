import type { WorkQueueStore } from '../../ports/work-queue.ts'
import type { SqliteQueueSettings } from './sqlite-queue.ts'

/** The queue of a fleet on the operator's machine; without any server. */
export function createSqliteQueueStore(settings: SqliteQueueSettings): WorkQueueStore {
  return {
    async open() {
      const { SqliteQueue } = await import('./sqlite-queue.ts')
      return new SqliteQueue(settings)
    },
  }
}
