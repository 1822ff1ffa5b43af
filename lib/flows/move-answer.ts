import type { MoveOrder } from '../config/move-schema.ts'
import { LongshoreError } from '../domain/errors.ts'
import { describePlan } from '../domain/plan.ts'
import type { MovePlan } from '../domain/plan-move.ts'
import type { MoveRecord } from '../domain/service-move.ts'
import type { Answer } from './context.ts'
import type { Applied } from './move-apply.ts'
import type { Moving } from './move-context.ts'
import type { ReturnTimes } from './move-return.ts'

/** The failure that tells what went back, why, and how long that took. */
export function rolledBack(
  { move }: Moving,
  reason: string,
  answer: { readonly returned: ReturnTimes },
): LongshoreError {
  const { passedByMs, returnedMs } = answer.returned
  const passed = passedByMs === null ? '' : ` (the router passed the target by after ${passedByMs} ms)`
  return new LongshoreError(
    'rolled-back',
    `${reason}\n${move.source.service} at ${move.source.url} has all requests again, ${returnedMs} ms after the failure${passed}`,
    {
      hint: 'see the log of the target, then run the same command again: it begins anew',
      answer: { ...answer },
    },
  )
}

/** Raises `usage`: a move that was begun goes on as it was begun. */
export function refuseOther({ name }: MoveOrder, { startedAt, owner, phase }: MoveRecord): never {
  throw new LongshoreError(
    'usage',
    `moves.${name}: another source or target stands in the profile than when the move was begun ${startedAt} by ${owner}`,
    {
      hint:
        phase === 'finished'
          ? 'give the new move another name'
          : 'put the former ones back and run move-service.mjs --undo, or give the new move another name',
    },
  )
}

/** What is told where nothing is left to do. */
export function tellDone({ move }: Moving, phase: 'moved' | 'finished'): Answer {
  const { service, url } = move.target
  const kept = phase === 'moved' ? '; --finish deletes the former service, --undo returns to it' : ''
  return {
    outcome: 'nothing-to-do',
    text: `${service} at ${url} has all requests for ${move.service}${kept}`,
    json: { service: move.service, serving: move.target, phase, plan: [] },
  }
}

/** The plan alone. */
export function answerDry(plan: MovePlan): Answer {
  return {
    outcome: 'done',
    plan,
    text: 'a dry run: nothing was changed',
    json: { plan: describePlan(plan) },
  }
}

/** What was done, and what may be done next. */
export function answerMoved(
  { move }: Moving,
  plan: MovePlan,
  { comparison }: Applied,
  phase: 'moved' | 'finished' = 'moved',
): Answer {
  const { service, url } = move.target
  const rest =
    phase === 'moved'
      ? `${move.source.service} at ${move.source.url} is kept: --undo returns to it at once, --finish deletes it`
      : `${move.source.service} at ${move.source.url} is deleted`
  return {
    outcome: 'done',
    text: `${service} at ${url} has all requests for ${move.service}\n${rest}`,
    json: {
      ...{ service: move.service, serving: move.target, phase, plan: describePlan(plan) },
      ...(comparison && { comparison }),
    },
  }
}
