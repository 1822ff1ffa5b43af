import { type ApplyOptions, apply } from '../../lib/flows/apply.ts'
import { update } from '../../lib/flows/update.ts'
import { FakeFleet } from './fakes/fleet-context.ts'
import { makeManifest } from './fakes/manifest.ts'

/** A fleet in memory that serves dg_2, with dg_1 loaded beside it, as its profile declares. */
export async function makeServingFleet(profile = ''): Promise<FakeFleet> {
  const fleet = new FakeFleet([], profile)
  for (const name of ['dg_1', 'dg_2']) {
    fleet.generations.add(makeManifest(name))
    await update(fleet.context())
  }
  fleet.orchestrator.changes.length = 0
  fleet.state.entries.length = 0
  return fleet
}

/** One run of apply, without a question. */
export function applyTo(fleet: FakeFleet, options: ApplyOptions = {}) {
  return apply(fleet.context(), options)
}

/** Ids of the tasks of every service, by its name. */
export function listTasks({ orchestrator }: FakeFleet): Record<string, string[]> {
  const services = [...orchestrator.services].map(([name, { tasks }]) => [name, tasks.map(({ id }) => id)])
  return Object.fromEntries(services)
}

/** What every service is made of, by its name, in the order of the names. */
export function listContents({ orchestrator }: FakeFleet): object {
  return Object.fromEntries([...orchestrator.contents].sort(([a], [b]) => (a < b ? -1 : 1)))
}
