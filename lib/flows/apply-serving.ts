import { listLoaded, listPlaces } from '../domain/declared-services.ts'
import { LongshoreError } from '../domain/errors.ts'
import { type Fleet, findHeld, findServed, findService } from '../domain/fleet.ts'
import type { GenerationRef } from '../domain/generation.ts'
import type { MadeService } from '../domain/made-service.ts'
import { hasAll } from '../domain/plan-services.ts'
import type { Run } from '../domain/record.ts'
import { GATEWAY } from '../domain/service.ts'
import type { FleetContext } from './context.ts'
import { observeFleet } from './observe.ts'
import { checkNodes } from './prepare-move.ts'
import type { Session } from './session.ts'

/** What is served, as it stands: apply chooses no generation. */
export type Serving = {
  readonly fleet: Fleet
  readonly served: GenerationRef
  readonly unreachable: readonly string[]
}

/** Raises `not-found` where nothing is served, `gate` while an update is unfinished, `remote` for nodes. */
export async function findServing({ context, signal, readRecord }: Session): Promise<Serving> {
  const { run } = await readRecord()
  if (run) throw refuseUnfinished(run)
  const fleet = await observeFleet(context, signal)
  const served = findService(fleet, GATEWAY) ? findServed(fleet) : null
  if (served) return { fleet, served, unreachable: checkNodes(fleet, context) }
  throw new LongshoreError('not-found', 'nothing is served yet: no service is there to be changed', {
    hint: 'update-indices.mjs puts a generation in service, and starts what the profile declares',
  })
}

/**
 * Names of the nodes that services may use, with a note of those that an update has to come to first. Raises `not-found`
 * where there is none.
 */
export function findPlaces(
  { profile, reporter }: FleetContext,
  fleet: Fleet,
  served: GenerationRef,
): string[] {
  const remedy = `update-indices.mjs ${served.name} brings it there`
  const places = listPlaces(fleet, served)
  if (places.length === 0) {
    const names = profile.nodes.map(({ name }) => name).join(', ')
    throw new LongshoreError('not-found', `none of the nodes ${names} holds ${served.name}`, { hint: remedy })
  }
  for (const node of fleet.nodes.filter(({ reachable }) => reachable)) {
    const lacking = listLoaded(fleet, served).filter((one) => !findHeld(node, one))
    const names = lacking.map(({ name }) => name).join(' and ')
    if (names) reporter.note(`${node.name} does not hold ${names}: ${remedy}`)
  }
  return places
}

/** Raises `not-found` for services that hold other generations now: applying them would move serving. */
export function refuseMoved(fleet: Fleet, wanted: readonly MadeService[]): void {
  const moved = wanted.find(({ spec }) => {
    const running = findService(fleet, spec.name)?.spec.generations ?? spec.generations
    return running.length !== spec.generations.length || !hasAll(running, spec.generations)
  })
  if (!moved) return
  const { name, generations } = moved.spec
  const held = generations.map((one) => one.name).join(' and ') || 'none'
  throw new LongshoreError('not-found', `${name} held other generations before the last apply: ${held}`, {
    hint: 'update-indices.mjs and rollback.mjs move generations; for the rest, apply the former profile',
  })
}

function refuseUnfinished({ command, target, startedAt, owner }: Run): LongshoreError {
  const what = `the ${command} to ${target.name}, begun ${startedAt} by ${owner}`
  return new LongshoreError('gate', `${what}, is unfinished; nothing was changed`, {
    hint: 'finish it by the same command, or go back by rollback.mjs; then apply',
  })
}
