import { LongshoreError } from '../domain/errors.ts'
import { type Fleet, findServed, findService } from '../domain/fleet.ts'
import { type GenerationRef, isSameGeneration } from '../domain/generation.ts'
import { isHeldAsWanted, type Shape } from '../domain/placement.ts'
import { describePlan, type Plan } from '../domain/plan.ts'
import { describeShortage, findShortages } from '../domain/plan-room.ts'
import { planUpdate } from '../domain/plan-update.ts'
import type { FleetRecord, Run } from '../domain/record.ts'
import { findCompanion, lastRelease } from '../domain/record-rules.ts'
import { GATEWAY } from '../domain/service.ts'
import { createBlueprint } from './blueprint.ts'
import type { FleetContext } from './context.ts'
import { listInspected } from './retention.ts'
import { chooseRoutePolicy } from './route-policy.ts'
import type { Session } from './session.ts'
import { findShape } from './shape.ts'

/** A planned move of the serving to a generation. */
export type Move = {
  readonly command: Run['command']
  readonly target: GenerationRef
  /** Ids of its clusters. */
  readonly clusters: readonly number[]
  /** Fingerprint of its model, where it is known. */
  readonly model: string | undefined
  /** What was served when the move began; where a failure goes back to. */
  readonly former: GenerationRef | null
  /** The generation that stays loaded beside the target. */
  readonly previous: GenerationRef | null
  readonly plan: Plan
  /** Nodes that are left out because they cannot be reached. */
  readonly unreachable: readonly string[]
}

export type Aim = {
  readonly command: Run['command']
  readonly target: Shape
  /** As it stands now. */
  readonly fleet: Fleet
}

/**
 * Plans the move of a fleet to `target`. Raises `remote` when no node, or by the profile's policy not every
 * node, can be reached or has room, or the gateway's port is taken, and `usage` when the generation in service has the target's name but another digest.
 */
export async function prepareMove(session: Session, { command, target, fleet }: Aim): Promise<Move> {
  const { context } = session
  const record = await session.readRecord()
  const unreachable = checkNodes(fleet, context)
  const run = record.run?.phase === 'forward' && isSameGeneration(record.run.target, target.generation)
  const former = run ? record.run!.former : findServed(fleet)
  refuseNamesake(target.generation, former)
  if (!findService(fleet, GATEWAY)) await refuseTakenPort(context)
  const companion = await chooseCompanion(context, fleet, record, { target, former })
  const plan = planUpdate(fleet, {
    target,
    companion,
    blueprint: createBlueprint(context.profile),
    proven: record.releases.some(({ generation }) => isSameGeneration(generation, target.generation)),
    released: lastRelease(record)?.generation ?? null,
    kept: listInspected(record),
    keep: context.profile.update.keep,
    routes: await chooseRoutePolicy(context, fleet),
  })
  refuseShortages(fleet, plan)
  return {
    command,
    target: target.generation,
    clusters: target.clusters,
    model: target.model,
    former,
    previous: companion?.generation ?? null,
    plan,
    unreachable,
  }
}

/** The members that update and rollback answer with, also when they fail. */
export function describeMove({ target, previous, plan }: Move): Record<string, unknown> {
  return {
    generation: target.name,
    digest: target.digest,
    previous: previous?.name ?? null,
    plan: describePlan(plan),
  }
}

/**
 * Names of nodes to go on without. Raises `remote` when no node, or by the profile's policy not every node, can be
 * reached.
 */
export function checkNodes(fleet: Fleet, { profile }: FleetContext): string[] {
  const lost = fleet.nodes.filter(({ reachable }) => !reachable)
  if (lost.length === 0) return []
  const reasons = lost.map(({ name, problem }) => `${name} cannot be reached${problem ? `: ${problem}` : ''}`)
  if (profile.update.unreachableNodes === 'refuse' || lost.length === fleet.nodes.length) {
    throw new LongshoreError('remote', `${reasons.join('; ')}; nothing was changed`, {
      hint: 'doctor.mjs tells more; update.unreachableNodes: continue goes on without them',
    })
  }
  return lost.map(({ name }) => name)
}

/** A port that is taken is the fault of no generation: it is found before one can be blamed for it. */
async function refuseTakenPort({ profile, publishing }: FleetContext): Promise<void> {
  const { host, port } = profile.gateway
  const problem = await publishing.findProblem(host, port)
  if (problem === undefined) return
  throw new LongshoreError('remote', `the gateway cannot listen on ${host}:${port}: ${problem}`, {
    hint: `end what listens there (ss -ltnp 'sport = :${port}'), or set gateway.port to another one`,
  })
}

/** Found before the first byte: nothing can be switched while a node lacks the target. */
function refuseShortages({ nodes }: Fleet, { steps }: Plan): void {
  const shortages = findShortages(
    nodes,
    steps.filter(({ action }) => action === 'deliver'),
  )
  if (shortages.length === 0) return
  const names = shortages.map((one) => `${one.node}: ${describeShortage(one)}`).join('; ')
  throw new LongshoreError('remote', `${names}; nothing was changed`, {
    hint: 'free some space there, or lower update.keep in the profile and deliver.mjs --yes',
  })
}

function refuseNamesake(target: GenerationRef, former: GenerationRef | null): void {
  if (former?.name !== target.name || former.digest === target.digest) return
  throw new LongshoreError('usage', `another ${target.name} is in service, with digest ${former.digest}`, {
    hint: 'generations never change: split the input under a new number',
  })
}

async function chooseCompanion(
  context: FleetContext,
  fleet: Fleet,
  record: FleetRecord,
  { target, former }: { target: Shape; former: GenerationRef | null },
): Promise<Shape | null> {
  const isMoving = former !== null && !isSameGeneration(former, target.generation)
  const chosen = isMoving ? former : findCompanion(record, target.generation)
  if (!chosen || chosen.name === target.generation.name) return null
  const shape = await findShape(context, fleet, chosen)
  if (!shape || isMoving || shape.available) return shape
  const isEverywhere = fleet.nodes.every((node) => !node.reachable || isHeldAsWanted(node, shape))
  return isEverywhere ? shape : null
}
