import type { MoveOrder } from '../config/move-schema.ts'
import { LongshoreError, messageOf } from '../domain/errors.ts'
import { describePlan } from '../domain/plan.ts'
import { type MoveFacts, type MovePlan, planFinish, planMove, planReturn } from '../domain/plan-move.ts'
import type { MoveRecord } from '../domain/service-move.ts'
import type { Answer, Context } from './context.ts'
import { answerDry, answerMoved, refuseOther, rolledBack, tellDone } from './move-answer.ts'
import { type Applied, applyMove } from './move-apply.ts'
import { changeMove, digestOfMove, type Moving, openMoving, readMove } from './move-context.ts'
import { observeEnd, observeMove } from './move-observe.ts'
import { TargetFailure } from './move-redirect.ts'
import { returnTraffic } from './move-return.ts'
import { holdLock } from './session.ts'

export type MoveOptions = { readonly isUndo: boolean; readonly finishes: boolean }

/**
 * Moves a service to another model server, or goes on with a move, or takes it back. Raises `gate` for a target that does not do before
 * any request went there, and `rolled-back` after that: all requests go to the source again in both cases.
 */
export async function moveService(context: Context, order: MoveOrder, options: MoveOptions): Promise<Answer> {
  return await holdLock(context, `move-service ${order.name}`, async (session) => {
    const moving = await openMoving(session, context, order)
    const record = await readMove(moving)
    if (options.isUndo) return await undo(moving, record)
    if (record && record.phase !== 'returned' && record.digest !== digestOfMove(order)) {
      refuseOther(order, record)
    }
    if (record?.phase === 'returning') return await returnAgain(moving, record)
    if (record?.phase === 'finished') return tellDone(moving, 'finished')
    const moved = record?.phase === 'moved' ? undefined : await goForward(moving, record)
    if (!options.finishes) return moved ?? tellDone(moving, 'moved')
    return (await finish(moving)) ?? moved ?? tellDone(moving, 'moved')
  })
}

async function goForward(moving: Moving, record: MoveRecord | undefined): Promise<Answer> {
  const { context } = moving
  const facts = await observeMove(moving, record)
  const plan = planMove(moving.move, facts)
  if (context.dryRun) return answerDry(plan)
  if (record?.phase === 'forward')
    context.reporter.note(`continuing the move begun ${record.startedAt} by ${record.owner}`)
  context.reporter.plan(plan)
  await context.confirm(plan)
  await changeMove(moving, (former) => ({
    ...former,
    ...{ phase: 'forward', digest: digestOfMove(moving.order), reason: null },
  }))
  const applied = await applyOrReturn(moving, facts, plan)
  await changeMove(moving, (former) => ({ ...former, phase: 'moved' }))
  await moving.session.log('move-done', moving.order.name)
  return answerMoved(moving, plan, applied)
}

async function applyOrReturn(moving: Moving, facts: MoveFacts, plan: MovePlan): Promise<Applied> {
  try {
    return await applyMove(moving, facts, plan)
  } catch (error) {
    if (moving.signal.aborted) throw error
    const record = await readMove(moving)
    const hasTraffic = error instanceof TargetFailure
    const isRefused = error instanceof LongshoreError && error.kind === 'gate'
    if (!hasTraffic && !isRefused) throw error
    const isRedirected = hasTraffic || record?.passed.some((key) => key.startsWith('redirect'))
    const times = await returnTraffic(moving, messageOf(error))
    const answer = { ...(error instanceof LongshoreError && error.answer), returned: times }
    if (!isRedirected && error instanceof LongshoreError) {
      const hint = error.hint === undefined ? {} : { hint: error.hint }
      throw new LongshoreError('gate', error.message, { ...hint, answer, cause: error })
    }
    throw rolledBack(moving, messageOf(error), answer)
  }
}

/** A run that was killed on its way back goes all the way, and tells why it went. */
async function returnAgain(moving: Moving, record: MoveRecord): Promise<Answer> {
  const reason = record.reason ?? 'the move was broken off'
  if (moving.context.dryRun) {
    return { outcome: 'done', text: `would first give all requests back: ${reason}`, json: {} }
  }
  const returned = await returnTraffic(moving, reason)
  throw rolledBack(moving, reason, { returned })
}

async function undo(moving: Moving, record: MoveRecord | undefined): Promise<Answer> {
  const { move, context } = moving
  const where = `${move.source.service} at ${move.source.url}`
  if (!record || record.phase === 'returned') {
    return { outcome: 'nothing-to-do', text: 'there is no move to undo', json: {} }
  }
  if (record.phase === 'finished') {
    throw new LongshoreError(
      'gate',
      `${where} was deleted when the move was finished: nothing can return to it`,
      {
        hint: `declare a move in the other direction, from ${move.target.url} to ${move.source.url}`,
      },
    )
  }
  const found = await moving.source.find(move.source.service, moving.signal)
  if (!found) {
    throw new LongshoreError('gate', `${where} is not there any more: nothing can return to it`, {
      hint: 'create it again, then run the same command',
    })
  }
  const text = `${where} has all requests again`
  const plan = planReturn(move, 'the operator wants it back')
  if (context.dryRun) return answerDry(plan)
  context.reporter.plan(plan)
  await context.confirm(plan)
  const returned = await returnTraffic(moving, 'undone by the operator')
  return {
    outcome: 'done',
    text,
    json: { service: move.service, serving: move.source, returned, plan: describePlan(plan) },
  }
}

/** Deletes the former service; undefined where that was done. */
async function finish(moving: Moving): Promise<Answer | undefined> {
  const { context } = moving
  const record = await readMove(moving)
  if (!record) return undefined
  const facts = await observeEnd(moving, record)
  if (!facts.target) {
    const { service, url } = moving.move.target
    throw new LongshoreError('gate', `${service} at ${url} is not there: the former service stays`, {
      hint: 'run the command with --undo, then begin anew',
    })
  }
  const plan = planFinish(moving.move, facts)
  if (context.dryRun) return answerDry(plan)
  context.reporter.plan(plan)
  await context.confirm(plan)
  await applyMove(moving, facts, plan)
  await changeMove(moving, (former) => ({ ...former, phase: 'finished' }))
  await moving.session.log('move-finished', moving.order.name)
  return answerMoved(moving, plan, {}, 'finished')
}
