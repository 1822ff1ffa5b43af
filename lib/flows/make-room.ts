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
  const isOf = (list: readonly { readonly node?: string }[], name?: string) =>
    list.some(({ node }) => node === name)
  const lacking = planDelivery(fleet.nodes, shape)
  const receiving = fleet.nodes.filter(({ name }) => isOf(lacking, name))
  const removals = planRemoval(receiving, await chooseRetention(session, fleet, shape.generation))
  const policy = await chooseRoutePolicy(session.context, fleet)
  const deliveries = planDelivery(withoutRemoved(receiving, removals), shape, policy)
  const shortages = findShortages(receiving, deliveries, removals)
  for (const one of shortages)
    session.context.reporter.note(`${one.node} is left out: ${describeShortage(one)}`)
  const hasRoom = ({ node }: Pick<Step, 'node'>) => !isOf(shortages, node)
  return { plan: assemblePlan([removals.filter(hasRoom), deliveries.filter(hasRoom)]), shortages }
}

/** What goes before something comes is nothing to tell differences from. */
function withoutRemoved(nodes: Fleet['nodes'], removals: readonly Omit<Step, 'batch'>[]): Fleet['nodes'] {
  return nodes.map((node) => ({
    ...node,
    generations: node.generations.filter(
      ({ name }) => !removals.some((one) => one.node === node.name && one.target === name),
    ),
  }))
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
