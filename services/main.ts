import { inspect } from 'node:util'
import { exitCodeOf, LongshoreError, messageOf } from '../lib/domain/errors.ts'
import { createLog } from './http/log.ts'
import type { StartService } from './http/run-service.ts'
import { parseSettings, type Settings } from './settings.ts'

/** The parts of a service are loaded only when it is the one to run, so that it is ready soon. */
const STARTERS: Readonly<Record<Settings['service'], () => Promise<StartService>>> = {
  gateway: async () => (await import('./gateway/start.ts')).startGateway,
  index: async () => (await import('./index/start.ts')).startIndex,
  extraction: async () => (await import('./extraction/start.ts')).startExtraction,
  router: async () => (await import('./router/start.ts')).startRouter,
}

const [kind] = process.argv.slice(2)
const log = createLog({ service: kind, task: process.env.TASK_ID ?? '', node: process.env.NODE_NAME ?? '' })
process.on('uncaughtException', end)
process.on('unhandledRejection', end)

try {
  const settings = parseSettings(kind, process.env)
  const started = STARTERS[settings.service]().then((start) => start(settings, process.env, log))
  const stop = async () => (await started).drain().then(() => process.exit(0), end)
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  await started
} catch (error) {
  end(error)
}

function end(error: unknown): never {
  const { kind: failure, hint } = error instanceof LongshoreError ? error : { kind: 'bug', hint: undefined }
  const stack = failure === 'bug' ? inspect(error) : undefined
  log('failed', { kind: failure, message: messageOf(error), hint, stack })
  process.exit(exitCodeOf(error))
}
