/** Takes the lock of a fleet and tells so: `node claim-lock.ts STATE LEASE_SECONDS keep|work`, for tests with many processes. */
import { createLocalStateStore } from '../../lib/adapters/local/state-store.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'

const [state = '', leaseSeconds = '', mode = ''] = process.argv.slice(2)
const store = createLocalStateStore({ state, leaseSeconds: Number(leaseSeconds) })

try {
  const lease = await store.acquire({ owner: `racer ${process.pid}`, doing: 'race' })
  console.log(`took ${lease.fence}`)
  // Kept until the process is killed.
  if (mode === 'keep') setInterval(() => undefined, 60_000)
  else await lease.release()
} catch (error) {
  if (!(error instanceof LongshoreError && error.kind === 'locked')) throw error
  console.log('locked')
}
