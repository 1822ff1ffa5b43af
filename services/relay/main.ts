/** The part of a delivery that runs on a node: orders come by standard input, reports go to standard output. */
import { encodeFrame } from '../../lib/adapters/relay/frames.ts'
import type { Report } from '../../lib/adapters/relay/protocol.ts'
import { exitCodeOf, LongshoreError, messageOf } from '../../lib/domain/errors.ts'
import { CLOCK } from '../clock.ts'
import { createLog } from '../http/log.ts'
import { hearOrders } from './hear-orders.ts'
import { runRelay } from './relay.ts'

const log = createLog({ service: 'relay' })
const dataDirectory = process.env.DATA_DIR || '/data'

process.on('uncaughtException', end)
process.on('unhandledRejection', end)
process.on('SIGTERM', () => process.exit(0))
process.stdout.on('error', end)

try {
  await runRelay({ dataDirectory, orders: hearOrders(process.stdin, CLOCK), tell })
  process.exit(0)
} catch (error) {
  end(error)
}

function tell(report: Report): void {
  for (const part of encodeFrame(report)) process.stdout.write(part)
}

function end(error: unknown): never {
  const stack = error instanceof LongshoreError || !(error instanceof Error) ? undefined : error.stack
  log('failed', { message: messageOf(error), stack })
  process.exit(exitCodeOf(error))
}
