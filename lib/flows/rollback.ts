import { LongshoreError } from '../domain/errors.ts'
import type { Fleet } from '../domain/fleet.ts'
import type { GenerationRef } from '../domain/generation.ts'
import type { Shape } from '../domain/placement.ts'
import { findRollbackTarget } from '../domain/plan-rollback.ts'
import type { FleetRecord, Run } from '../domain/record.ts'
import { findQuarantine } from '../domain/record-rules.ts'
import { answerMove } from './answer-move.ts'
import { carryOut } from './carry-out.ts'
import type { Answer, FleetContext } from './context.ts'
import { settleDeadRun } from './dead-run.ts'
import { observeFleet } from './observe.ts'
import { prepareMove } from './prepare-move.ts'
import { holdLock, type Session } from './session.ts'
import { findShape } from './shape.ts'

export type RollbackOptions = {
  /** Name of an earlier release; the one before the present one where it is left out. */
  readonly to?: string | undefined
  /** Goes back even to a quarantined generation. */
  readonly force?: boolean
}

/**
 * Makes the fleet serve an earlier release again, and freezes the one it leaves. Each rollback goes one release further
 * back, never forward again; with `to` it may go to any release, and a second time there is nothing to do. An update
 * that broke off is undone by it. Raises as `update` does; `not-found` when there is nothing to go back to.
 */
export async function rollback(context: FleetContext, options: RollbackOptions = {}): Promise<Answer> {
  const { to, force = false } = options
  return await holdLock(context, `rollback ${to ?? 'to the release before'}`, async (session) => {
    const record = await session.readRecord()
    const abandoned = to === undefined ? findAbandoned(record) : null
    const target = abandoned?.former ?? findRollbackTarget(record, to)
    const dead = await settleDeadRun(session, { command: 'rollback', target })
    if (abandoned) await freeze(session, abandoned.target)
    if (!force) refuseQuarantined(await session.readRecord(), target)
    const fleet = await observeFleet(context, session.signal)
    const shape = await readShape(context, fleet, target)
    const move = await prepareMove(session, { command: 'rollback', target: shape, fleet })
    return await answerMove(session, move, dead, async () => {
      context.reporter.plan(move.plan)
      await context.confirm(move.plan)
      await carryOut(session, move)
    })
  })
}

/** The update that broke off before its commit, if any: going back means to what was served before it. */
function findAbandoned({ run }: FleetRecord): Run | null {
  return run?.command === 'update' && run.former ? run : null
}

async function freeze(session: Session, generation: GenerationRef): Promise<void> {
  const { context } = session
  const since = new Date(context.now()).toISOString()
  await session.changeRecord((record) => ({ ...record, frozen: { generation, since, by: context.owner } }))
}

function refuseQuarantined(record: FleetRecord, target: GenerationRef): void {
  const bad = findQuarantine(record, target)
  if (!bad) return
  throw new LongshoreError('quarantined', `${target.name} is quarantined since ${bad.at}: ${bad.reason}`, {
    hint: `go further back with --to dg_N, or to this one all the same: rollback.mjs --to ${target.name} --force`,
    answer: { generation: target.name, digest: target.digest },
  })
}

async function readShape(context: FleetContext, fleet: Fleet, target: GenerationRef): Promise<Shape> {
  const shape = await findShape(context, fleet, target)
  if (shape) return shape
  throw new LongshoreError(
    'not-found',
    `${target.name} (${target.digest}) is neither here nor loaded any more`,
    {
      hint: `put it back into ${context.profile.generations}, or name another release with --to`,
    },
  )
}
