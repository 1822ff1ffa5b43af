import { LongshoreError, messageOf } from '../domain/errors.ts'
import type { FleetNode } from '../domain/fleet.ts'
import { isSameGeneration } from '../domain/generation.ts'
import { type Manifest, refOf } from '../domain/manifest.ts'
import { assemblePlan, describePlan, type Plan } from '../domain/plan.ts'
import {
  type Copy,
  isRepairable,
  planReading,
  planRepair,
  type Sources,
  type Unread,
} from '../domain/plan-verify.ts'
import type { Mender } from '../ports/mender.ts'
import { applyPlan, CONCURRENCY } from './apply-plan.ts'
import type { Answer, FleetContext } from './context.ts'
import { meterTransport } from './meter-transport.ts'
import { observeFleet } from './observe.ts'
import { holdLock, type Session } from './session.ts'
import { settleAll } from './settle-all.ts'
import { shapeOf } from './shape.ts'
import { answerVerified } from './verify-answer.ts'
import { chooseGenerations, chooseNodes } from './verify-choice.ts'

export type VerifyOptions = {
  /** One generation; those in service and before where left out. */
  readonly generation?: string | undefined
  /** Names of nodes; all of the profile where left out. */
  readonly nodes?: readonly string[] | undefined
  /** Brings again what is damaged or missing. */
  readonly repair?: boolean
}

/**
 * Hashes generations again on the disks of nodes. Changes nothing, unless it shall repair: then what is damaged or missing
 * is brought again under the fleet's lock, from nodes that hold it sound and at last from here, put together beside, and
 * hashed once more. Deletes nothing that is sound. Raises `corrupt` naming node and file of what is not sound in the end,
 * `partial` when all else is but a node cannot be reached, `usage` for unknown nodes, `not-found` for a generation that
 * neither this machine nor a node has.
 */
export async function verify(context: FleetContext, options: VerifyOptions = {}): Promise<Answer> {
  const doing = ['verify', options.generation].filter(Boolean).join(' ')
  if (!options.repair) return await examine(context, options)
  return await holdLock(context, `${doing} --repair`, (session) => repair(session, options))
}

async function examine(context: FleetContext, options: VerifyOptions): Promise<Answer> {
  return answerVerified(await readCopies(context, options))
}

async function repair(session: Session, options: VerifyOptions): Promise<Answer> {
  const { context } = session
  const { copies, manifests, ...reading } = await readCopies(context, options)
  const plan = assemblePlan([planRepair(copies, reading.nodes, reading)])
  const json = { plan: describePlan(plan) }
  if (context.dryRun) return { ...answerVerified({ copies, manifests, isTrial: true, json }), plan }
  if (plan.steps.length > 0) {
    context.reporter.plan(plan)
    await context.confirm(plan)
  }
  const { transport, countSent } = meterTransport(context.transport, context.now)
  const { mender, countMended } = meterMender(context.mender)
  const metered = { ...session, context: { ...context, transport, mender } }
  const repaired = await repairCopies(metered, copies, { plan, manifests })
  const bytesSent = countSent() + countMended()
  return answerVerified({ copies: repaired, manifests, json: { ...json, bytesSent } })
}

/** A mender that works as the given one, and the bytes that it has brought to nodes, which come by this machine. */
function meterMender(inner: Mender): { mender: Mender; countMended(): number } {
  let mended = 0
  const mender: Mender = {
    readManifest: (...args) => inner.readManifest(...args),
    mend: (node, manifest, options) =>
      inner.mend(node, manifest, {
        ...options,
        onBytes(bytes) {
          mended += bytes
          options.onBytes?.(bytes)
        },
      }),
  }
  return { mender, countMended: () => mended }
}

type Reading = Sources & {
  readonly copies: readonly Copy[]
  readonly manifests: readonly Manifest[]
  /** All nodes: those that nobody asked about may help. */
  readonly nodes: readonly FleetNode[]
}

async function readCopies(context: FleetContext, options: VerifyOptions): Promise<Reading> {
  const names = chooseNodes(context.profile, options.nodes)
  const fleet = await observeFleet(context)
  const chosen = await chooseGenerations(context, fleet, options.generation)
  const manifests = chosen.map(({ manifest }) => manifest)
  const shapes = manifests.map((manifest) => shapeOf(manifest, context.profile))
  const asked = fleet.nodes.filter(({ name }) => names.includes(name))
  const settled = await settleAll(planReading(asked, shapes), CONCURRENCY, async (copy) =>
    'state' in copy ? copy : await readCopy(context, copy, manifests),
  )
  context.signal.throwIfAborted()
  const here = chosen.filter(({ isHere }) => isHere).map(({ manifest }) => refOf(manifest))
  return {
    ...{ manifests, shapes, nodes: fleet.nodes },
    copies: settled.map(({ result }) => takeValue(result)),
    isHere: (generation) => here.some((one) => isSameGeneration(one, generation)),
  }
}

/** Reads a copy from its disk. A node that is lost meanwhile is a fact, not a failure. */
async function readCopy(
  { transport, reporter, signal, now }: FleetContext,
  copy: Unread,
  manifests: readonly Manifest[],
): Promise<Copy> {
  const { node, generation, clusters } = copy
  const step = { batch: 1, action: 'verify', target: generation.name, node, cause: 'asked for' } as const
  const startedAt = now()
  reporter.step({ step, state: 'started' })
  try {
    await transport.verify(node, findManifest(manifests, copy), signal, clusters)
    reporter.step({ step, state: 'done', tookMs: now() - startedAt })
    return { ...copy, state: 'sound' }
  } catch (error) {
    if (!(error instanceof LongshoreError) || signal.aborted) throw error
    const problem = messageOf(error)
    reporter.step({ step, state: 'failed', tookMs: now() - startedAt, detail: problem })
    const states = { corrupt: 'damaged', 'not-found': 'missing' } as const
    const state = error.kind === 'corrupt' || error.kind === 'not-found' ? states[error.kind] : 'unreachable'
    return { ...copy, state, problem }
  }
}

type Repair = { readonly plan: Plan; readonly manifests: readonly Manifest[] }

/** Every copy once more: what was brought again is read from its disk; a failure leaves it as it was, and says why. */
async function repairCopies(
  session: Session,
  copies: readonly Copy[],
  { plan, manifests }: Repair,
): Promise<Copy[]> {
  const settled = await settleAll(copies, CONCURRENCY, async (copy): Promise<Copy> => {
    const { node, generation, clusters } = copy
    const step = plan.steps.find((one) => one.node === node && one.target === generation.name)
    if (!step || !isRepairable(copy)) return copy
    try {
      await applyPlan(session, { steps: [step] })
    } catch (error) {
      session.signal.throwIfAborted()
      return { ...copy, problem: messageOf(error) }
    }
    const unread = { node, generation, ...(clusters && { clusters }) }
    const again = await readCopy(session.context, unread, manifests)
    return again.state === 'sound' ? { ...again, repaired: true } : again
  })
  session.signal.throwIfAborted()
  return settled.map(({ result }) => takeValue(result))
}

function findManifest(manifests: readonly Manifest[], { generation }: Unread): Manifest {
  const found = manifests.find((manifest) => isSameGeneration(refOf(manifest), generation))
  if (!found) throw new Error(`nothing is known of ${generation.name}`)
  return found
}

function takeValue<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason
  return result.value
}
