import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { Task } from '../../domain/service.ts'
import type { Orchestrator } from '../../ports/orchestrator.ts'
import { askContainer } from './ask-task.ts'
import { changeService } from './change.ts'
import type { Engine } from './engine-parts.ts'
import { findContainer } from './find-container.ts'
import { observeServices } from './observe.ts'
import { readFleet } from './read-fleet.ts'
import { removeAll, removeService } from './remove-services.ts'
import { readWords } from './task-words.ts'

const ASK_MS = 120_000

/** Runs services in a Docker Swarm, changed and asked by `docker` on its managers and nodes. */
export function createSwarmOrchestrator(engine: Engine): Orchestrator {
  const { shell, manager, settings } = engine
  const inTurn = createTurns()
  return {
    async observe(signal) {
      signal.throwIfAborted()
      return await observeServices(await readFleet(manager, settings.fleet, signal), shell, signal)
    },
    async change(spec, options) {
      options.signal.throwIfAborted()
      await inTurn(spec.name, () => changeService(engine, spec, options))
    },
    remove: (service, signal) => inTurn(service, () => removeService(engine, service, signal)),
    ask: (task, path, signal) => askTask(engine, task, path, signal),
    async shutDown(signal) {
      await removeAll(engine, await readFleet(manager, settings.fleet, signal), signal)
    },
  }
}

async function askTask(engine: Engine, task: Task, path: string, signal: AbortSignal): Promise<unknown> {
  const { found, ...place } = await findContainer(engine, task, signal)
  try {
    return await askContainer(place, path, { signal, timeoutMs: ASK_MS })
  } catch (error) {
    signal.throwIfAborted()
    const { where } = place
    const { blame } = await readWords(found, place, signal)
    const message = messageOf(error)
    const words = message.includes(where) ? message : `${where} does not answer: ${message}`
    throw new LongshoreError('remote', words, { cause: error, blame })
  }
}

/** Does works of one name one after the other, in the order in which they came. */
function createTurns(): (name: string, work: () => Promise<void>) => Promise<void> {
  const last = new Map<string, Promise<unknown>>()
  return async (name, work) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(work, work)
    last.set(
      name,
      turn.catch(() => undefined),
    )
    await turn
  }
}
