import { messageOf } from '../domain/errors.ts'
import type { Fleet } from '../domain/fleet.ts'
import type { Shape } from '../domain/placement.ts'
import { assemblePlan, type Plan, type Step } from '../domain/plan.ts'
import { planDelivery, planRemoval } from '../domain/plan-deliver.ts'
import { describeShortage, findShortages, type Shortage } from '../domain/plan-room.ts'
import { applyPlan, CONCURRENCY } from './apply-plan.ts'
import { chooseRetention } from './retention.ts'
import { chooseRoutePolicy } from './route-policy.ts'
import type { Session } from './session.ts'
import { settleAll } from './settle-all.ts'

/**
 * Plans a delivery to where there is room for it. Where something is to come, what is beyond what nodes keep goes first; a
 * node that has no room all the same is told, and gets not a byte.
 */
export async function planWithinRoom(
  session: Session,
  fleet: Fleet,
  shape: Shape,
): Promise<{ readonly plan: Plan; readonly shortages: readonly Shortage[] }> {
  const deliveries = planDelivery(fleet.nodes, shape, await chooseRoutePolicy(session.context, fleet))
  const isOf = (list: readonly { readonly node?: string }[], name?: string) =>
    list.some(({ node }) => node === name)
  const receiving = fleet.nodes.filter(({ name }) => isOf(deliveries, name))
  const removals = planRemoval(receiving, await chooseRetention(session, fleet, shape.generation))
  const shortages = findShortages(receiving, deliveries, removals)
  for (const one of shortages)
    session.context.reporter.note(`${one.node} is left out: ${describeShortage(one)}`)
  const hasRoom = ({ node }: Pick<Step, 'node'>) => !isOf(shortages, node)
  return { plan: assemblePlan([removals.filter(hasRoom), deliveries.filter(hasRoom)]), shortages }
}

/** Does the `remove` steps of a plan. What cannot be removed is told, and keeps nothing from being delivered. */
export async function removeSpare(session: Session, { steps }: Plan): Promise<void> {
  const removals = steps.filter(({ action }) => action === 'remove')
  const settled = await settleAll(removals, CONCURRENCY, (step) => applyPlan(session, { steps: [step] }))
  session.signal.throwIfAborted()
  for (const { result } of settled) {
    if (result.status === 'rejected') session.context.reporter.note(messageOf(result.reason))
  }
}
