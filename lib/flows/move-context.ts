import type { MoveOrder } from '../config/move-schema.ts'
import { digestOf, type Json } from '../domain/canonical-json.ts'
import type { MoveStep } from '../domain/plan-move.ts'
import type { MoveDefinition, MoveRecord } from '../domain/service-move.ts'
import type { ModelServer } from '../ports/model-server.ts'
import type { Context } from './context.ts'
import type { Session } from './session.ts'

/** A move at work: what the profile says, the two servers, and what is remembered. */
export type Moving = {
  readonly context: Context
  readonly session: Session
  readonly order: MoveOrder
  readonly move: MoveDefinition
  readonly source: ModelServer
  readonly target: ModelServer
  readonly signal: AbortSignal
}

/** The move as the planner knows it. */
export function defineMove({ name, service, source, target, redirect }: MoveOrder): MoveDefinition {
  return {
    ...{ name, service: (service ?? source.service).toLowerCase(), percents: redirect.steps },
    source: { url: source.url, service: source.service.toLowerCase() },
    target: { url: target.url, service: target.service.toLowerCase() },
  }
}

/** Identifies what is moved where: limits and times may be changed while a move is under way. */
export function digestOfMove({ name, service, source, target }: MoveOrder): string {
  return digestOf(JSON.parse(JSON.stringify({ name, service, source, target })) as Json)
}

export async function openMoving(session: Session, context: Context, order: MoveOrder): Promise<Moving> {
  const [source, target] = await Promise.all([
    context.openModelServer(order.source.url),
    context.openModelServer(order.target.url),
  ])
  return { context, session, order, move: defineMove(order), source, target, signal: session.signal }
}

export async function readMove({ session, order }: Moving): Promise<MoveRecord | undefined> {
  return (await session.readRecord()).moves?.[order.name]
}

/** Changes what is remembered of the move. */
export async function changeMove(
  { session, order, context }: Moving,
  edit: (record: MoveRecord) => MoveRecord,
): Promise<void> {
  await session.changeRecord((record) => {
    const former = record.moves?.[order.name] ?? begin(order, context)
    return { ...record, moves: { ...record.moves, [order.name]: edit(former) } }
  })
}

/** Adds the step to those that are done, and says so in the journal. */
export async function passStep(moving: Moving, { key }: Pick<MoveStep, 'key'>): Promise<void> {
  await changeMove(moving, (record) => ({ ...record, passed: [...new Set([...record.passed, key])] }))
  await moving.session.log('move-step', `${moving.order.name}: ${key} done`)
}

function begin(order: MoveOrder, { owner, now }: Context): MoveRecord {
  return {
    ...{ digest: digestOfMove(order), phase: 'forward', passed: [], isOwn: false },
    ...{ copied: null, reason: null },
    ...{ startedAt: new Date(now()).toISOString(), owner },
  }
}
