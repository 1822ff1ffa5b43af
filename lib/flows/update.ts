import { isSameGeneration } from '../domain/generation.ts'
import { lastRelease } from '../domain/record-rules.ts'
import { admit, findCandidate, refuseLeft } from './admission.ts'
import { answerMove } from './answer-move.ts'
import { carryOut } from './carry-out.ts'
import type { Answer, FleetContext } from './context.ts'
import { settleDeadRun } from './dead-run.ts'
import { passGates } from './gates.ts'
import { observeFleet } from './observe.ts'
import { prepareMove } from './prepare-move.ts'
import { holdLock } from './session.ts'
import { shapeOf } from './shape.ts'

export type UpdateOptions = {
  /** Name of the generation; the newest where it is left out. */
  readonly generation?: string | undefined
  /** Serves a generation that is quarantined or frozen all the same. */
  readonly force?: boolean
}

/**
 * Makes the fleet serve a generation: gates, plan, confirmation, delivery, side-by-side switch. Changes nothing when
 * everything is as it shall be. Raises by exit code: 10 no such generation, 11 locked, 12 and 13 refused by integrity
 * or a gate (and quarantined), 14 known to be bad, 20 failed in service and brought back, 21 stuck, 3 and 30 nodes.
 */
export async function update(context: FleetContext, options: UpdateOptions = {}): Promise<Answer> {
  const { generation, force = false } = options
  const { ref } = await findCandidate(context, generation)
  return await holdLock(context, `update-indices ${ref.name}`, async (session) => {
    // Whoever had the lock before us may have put a newer one there.
    const candidate = await findCandidate(context, generation)
    if (!force) await refuseLeft(session, candidate.ref)
    const dead = await settleDeadRun(session, { command: 'update', target: candidate.ref })
    const manifest = await admit(session, candidate, force || dead === 'continues')
    const fleet = await observeFleet(context, session.signal)
    const move = await prepareMove(session, {
      command: 'update',
      target: shapeOf(manifest, context.profile),
      fleet,
    })
    const released = lastRelease(await session.readRecord())?.generation
    const isProven = dead === 'continues' || isSameGeneration(released, move.target)
    return await answerMove(session, move, dead, async () => {
      if (!isProven) await passGates(session, manifest)
      context.reporter.plan(move.plan)
      await context.confirm(move.plan)
      await carryOut(session, move)
    })
  })
}
