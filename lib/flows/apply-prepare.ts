import { listDeclared } from '../domain/declared-services.ts'
import { LongshoreError } from '../domain/errors.ts'
import type { Fleet } from '../domain/fleet.ts'
import type { GenerationRef } from '../domain/generation.ts'
import type { MadeService } from '../domain/made-service.ts'
import { type Changes, planApply } from '../domain/plan-apply.ts'
import { findCompanion } from '../domain/record-rules.ts'
import type { RenderOptions } from '../ports/stack.ts'
import { findPlaces, findServing, refuseMoved } from './apply-serving.ts'
import { createBlueprint } from './blueprint.ts'
import type { Session } from './session.ts'
import { findShape } from './shape.ts'

/** Services as they shall be, as they were found, and the way from these to those. */
export type Adjustment = {
  readonly command: 'apply' | 'apply --undo'
  readonly served: GenerationRef
  readonly fleet: Fleet
  readonly before: readonly MadeService[]
  readonly wanted: readonly MadeService[]
  readonly changes: Changes
  /** Nodes that are left out because they cannot be reached. */
  readonly unreachable: readonly string[]
}

/**
 * What the profile declares around the generations that are loaded now, rendered and compared with what runs. Raises
 * `not-found` where nothing is served or no node of the profile can serve, `gate` while an update is unfinished, and
 * `remote` and `usage` for nodes.
 */
export async function prepareApply(session: Session): Promise<Adjustment> {
  const { context } = session
  const { fleet, served, unreachable } = await findServing(session)
  const companion = findCompanion(await session.readRecord(), served) ?? null
  const shapes = await Promise.all(
    [served, ...(companion ? [companion] : [])].map((one) => findShape(context, fleet, one)),
  )
  const specs = listDeclared(fleet, {
    blueprint: createBlueprint(context.profile),
    served,
    companion,
    clusters: shapes[0]?.clusters ?? [],
    models: shapes.map((shape) => shape?.model),
    nodes: findPlaces(context, fleet, served),
  })
  const wanted = await context.stack.render(specs, optionsOf(session))
  return await compare(session, { command: 'apply', served, fleet, wanted, unreachable })
}

/**
 * What ran before the last apply, or before one that has not ended. Raises `not-found` where that is not known, or was
 * made for generations that have gone out of service since, and what {@link prepareApply} raises.
 */
export async function prepareUndo(session: Session): Promise<Adjustment> {
  const { context } = session
  const { fleet, served, unreachable } = await findServing(session)
  const former = (await context.stackFiles.read('unfinished')) ?? (await context.stackFiles.read('former'))
  if (former === null) {
    const path = context.stackFiles.locate('former')
    throw new LongshoreError('not-found', `there is no ${path} to go back to`, {
      hint: 'the former services are kept where apply.mjs ran; elsewhere, apply the former profile',
    })
  }
  const wanted = context.stack.parse(former)
  refuseMoved(fleet, wanted)
  return await compare(session, { command: 'apply --undo', served, fleet, wanted, unreachable })
}

/** How services are rendered and observed. */
export function optionsOf({ context, signal }: Session): RenderOptions {
  return { signal, deadlineMs: context.profile.update.deadlineSeconds * 1000 }
}

async function compare(
  session: Session,
  adjustment: Omit<Adjustment, 'before' | 'changes'>,
): Promise<Adjustment> {
  const { stack, stackFiles } = session.context
  const before = await stack.observe(optionsOf(session))
  await stackFiles.write('staging', stack.describe(adjustment.wanted))
  return { ...adjustment, before, changes: planApply(before, adjustment.wanted) }
}
