import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { isSameContent, type MadeService } from '../../domain/made-service.ts'
import { isSameSpec } from '../../domain/plan-services.ts'
import type { ServiceSpec } from '../../domain/service.ts'
import type { SwarmService } from '../../domain/swarm-inspect.ts'
import type { ChangeOptions } from '../../ports/orchestrator.ts'
import { applyService, makeService, readStanding } from './apply-service.ts'
import type { Engine } from './engine-parts.ts'
import type { FleetView } from './read-fleet.ts'
import { removeService } from './remove-services.ts'
import { settle } from './settle.ts'

/** Going back is not given up sooner, however short the deadline of the change was. */
const LEAST_BACK_MS = 60_000

/** Changes a service as the port says; what a task or the scheduler said against it is in the error. */
export async function changeService(
  engine: Engine,
  spec: ServiceSpec,
  options: ChangeOptions,
): Promise<void> {
  const { signal, deadlineMs, content } = options
  const standing = await readStanding(engine, spec.name, signal)
  const { view } = standing
  const [former] = view.services
  const { nodes } = view
  const wanted = content ? { spec, content } : makeService(engine, spec, { nodes, deadlineMs })
  const known = listIds(view)
  const end = performance.now() + deadlineMs
  const isThere = former !== undefined && isAsMade(former, wanted) && !isPaused(former)
  if (!isThere) await applyService(engine, wanted, { standing, signal })
  try {
    await settle(engine, { wanted, known, end }, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof LongshoreError) || error.kind !== 'remote' || isThere) throw error
    throw await putBack(engine, { spec, former, error, deadlineMs }, signal)
  }
}

type Failed = {
  readonly spec: ServiceSpec
  readonly former: SwarmService | undefined
  readonly error: LongshoreError
  readonly deadlineMs: number
}

/**
 * Makes the service what it was, by the recipe that its former self carried; hands out the error to raise. Never
 * `--rollback`: that swaps the last two specs, whoever wrote them.
 */
async function putBack(engine: Engine, failed: Failed, signal: AbortSignal): Promise<LongshoreError> {
  const { spec, former, error, deadlineMs } = failed
  try {
    if (!former) {
      await removeService(engine, spec.name, signal)
      return error
    }
    const standing = await readStanding(engine, spec.name, signal)
    const { view } = standing
    const { nodes } = view
    const [current] = view.services
    const back = former.content
      ? { spec: former.spec, content: former.content }
      : makeService(engine, former.spec, { nodes, deadlineMs })
    const isBack = current !== undefined && isAsMade(current, back) && !isPaused(current)
    if (!isBack) await applyService(engine, back, { standing, signal })
    const end = performance.now() + Math.max(deadlineMs, LEAST_BACK_MS)
    await settle(engine, { wanted: back, known: listIds(view), end }, signal)
    return error
  } catch (other) {
    signal.throwIfAborted()
    if (other instanceof LongshoreError && other.kind === 'locked') return other
    return new LongshoreError('remote', `${error.message}; it could not be put back: ${messageOf(other)}`, {
      blame: error.blame,
      cause: other,
    })
  }
}

/** Whether a service is, to the last byte and as far as the Swarm tells, what it shall be. */
function isAsMade(service: SwarmService, { spec, content }: MadeService): boolean {
  return isSameSpec(service.spec, spec) && service.content !== null && isSameContent(service.content, content)
}

function isPaused({ update }: SwarmService): boolean {
  return update?.state === 'paused' || update?.state === 'rollback_paused'
}

function listIds({ tasks }: FleetView): ReadonlySet<string> {
  return new Set(tasks.map(({ id }) => id))
}
