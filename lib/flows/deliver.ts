import { LongshoreError, messageOf } from '../domain/errors.ts'
import type { Fleet } from '../domain/fleet.ts'
import { isHeldAsWanted, type Shape } from '../domain/placement.ts'
import { describePlan, type Plan, type Step } from '../domain/plan.ts'
import { describeShortage, type Shortage } from '../domain/plan-room.ts'
import { MILESTONES } from '../ports/transport.ts'
import { admit, findCandidate } from './admission.ts'
import { applyPlan } from './apply-plan.ts'
import type { Answer, FleetContext } from './context.ts'
import { passGates } from './gates.ts'
import { planWithinRoom, removeSpare } from './make-room.ts'
import { type Meter, meterTransport } from './meter-transport.ts'
import { observeFleet } from './observe.ts'
import { holdLock, type Session } from './session.ts'
import { settleAll } from './settle-all.ts'
import { shapeOf } from './shape.ts'

/** What came of one node; `bytes` is what arrived there, less than it lacked after an interruption. */
export type NodeDelivery = {
  readonly name: string
  readonly state: 'delivered' | 'held' | 'unreachable' | 'failed'
  readonly bytes: number
  readonly problem?: string
}

export type DeliverOptions = { readonly generation?: string | undefined }

/**
 * Puts a generation on every node, gated and verified, without serving it. Nodes that hold it are left alone. Raises as
 * `update` does up to the gates, `partial` naming the nodes that did not receive it, `remote` when none did.
 */
export async function deliver(context: FleetContext, options: DeliverOptions = {}): Promise<Answer> {
  const { ref } = await findCandidate(context, options.generation)
  return await holdLock(context, `deliver ${ref.name}`, async (session) => {
    // Whoever had the lock before us may have put a newer one there.
    const candidate = await findCandidate(context, options.generation)
    const manifest = await admit(session, candidate, false)
    const shape = shapeOf(manifest, context.profile)
    const fleet = await observeFleet(context, session.signal)
    const { plan, shortages } = await planWithinRoom(session, fleet, shape)
    const base = {
      generation: shape.generation.name,
      digest: shape.generation.digest,
      plan: describePlan(plan),
    }
    if (context.dryRun) return answerDryRun(plan, { ...base, shortages })
    context.transport.expect?.(listRelayed(plan))
    if (plan.steps.length > 0) await passGates(session, manifest)
    context.reporter.plan(plan)
    if (plan.steps.length > 0) await context.confirm(plan)
    await removeSpare(session, plan)
    const startedAt = context.now()
    const meters = meterTransport(context.transport, context.now)
    const nodes = await deliverToNodes(session, fleet, shape, plan.steps, meters)
    const timeline = describeTimeline(nodes, meters.readMeter, startedAt)
    return answer(tellShortages(nodes, shortages), { ...base, bytesSent: meters.countSent(), timeline })
  })
}

function listRelayed({ steps }: Plan): string[] {
  return steps.flatMap(({ node, route }) => (node !== undefined && route?.via === 'relay' ? [node] : []))
}

function tellShortages(nodes: readonly NodeDelivery[], shortages: readonly Shortage[]): NodeDelivery[] {
  return nodes.map((node) => {
    const shortage = shortages.find((one) => one.node === node.name)
    return shortage ? { ...node, state: 'failed', problem: describeShortage(shortage) } : node
  })
}

async function deliverToNodes(
  session: Session,
  fleet: Fleet,
  shape: Shape,
  steps: readonly Step[],
  meters: ReturnType<typeof meterTransport>,
): Promise<NodeDelivery[]> {
  const { transport, readMeter } = meters
  const metered = { ...session, context: { ...session.context, transport } }
  const deliveries = steps.filter(({ action }) => action === 'deliver')
  const settled = await settleAll(deliveries, deliveries.length, (step) =>
    applyPlan(metered, { steps: [step] }),
  )
  session.signal.throwIfAborted()
  return fleet.nodes.map((node): NodeDelivery => {
    const { name, problem } = node
    const bytes = readMeter(name).arrived
    const result = settled.find(({ item }) => item.node === name)?.result
    if (result?.status === 'rejected') {
      return { name, state: 'failed', bytes, problem: messageOf(result.reason) }
    }
    if (result) return { name, state: 'delivered', bytes }
    if (isHeldAsWanted(node, shape)) return { name, state: 'held', bytes }
    return { name, state: 'unreachable', bytes, ...(problem !== undefined && { problem }) }
  })
}

/** What was told of each node, as `timeline[{name, sent, saved, started, firstByte, received, whole, published}]`, in ms. */
function describeTimeline(
  nodes: readonly NodeDelivery[],
  readMeter: (node: string) => Meter,
  startedAt: number,
): Record<string, unknown>[] {
  return nodes.flatMap(({ name }) => {
    const { sent, saved, milestones } = readMeter(name)
    const after = MILESTONES.flatMap((milestone) => {
      const at = milestones[milestone]
      return at === undefined ? [] : [[milestone, at - startedAt] as const]
    })
    return after.length > 0 ? [{ name, sent, saved, ...Object.fromEntries(after) }] : []
  })
}

type Base = { readonly generation: string } & Readonly<Record<string, unknown>>

function answer(nodes: readonly NodeDelivery[], base: Base): Answer {
  const json = { ...base, nodes }
  const lacking = nodes.filter(({ state }) => state === 'failed' || state === 'unreachable')
  if (lacking.length > 0) {
    const names = lacking.map(({ name, problem }) => `${name}${problem ? ` (${problem})` : ''}`).join('; ')
    const kind = lacking.length < nodes.length ? 'partial' : 'remote'
    throw new LongshoreError(kind, `${base.generation} did not reach ${names}`, {
      hint: 'doctor.mjs looks for the reason; the same command again delivers what is missing',
      answer: json,
    })
  }
  const given = nodes.filter(({ state }) => state === 'delivered').map(({ name }) => name)
  if (given.length > 0) {
    return { outcome: 'done', text: `${base.generation} is now on ${given.join(', ')}, not yet served`, json }
  }
  return { outcome: 'nothing-to-do', text: `every node holds ${base.generation} already`, json }
}

function answerDryRun(plan: Plan, base: Base): Answer {
  const outcome = plan.steps.length > 0 ? 'done' : 'nothing-to-do'
  return { outcome, plan, text: 'a dry run: nothing was changed', json: { ...base, dryRun: true } }
}
