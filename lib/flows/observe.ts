import type { Fleet } from '../domain/fleet.ts'
import type { FleetContext } from './context.ts'

/** What really stands: every node of the profile and every service, asked now. */
export async function observeFleet(context: FleetContext, signal = context.signal): Promise<Fleet> {
  const { profile, transport, orchestrator } = context
  const [nodes, services] = await Promise.all([
    Promise.all(profile.nodes.map(({ name }) => transport.inspect(name, signal))),
    orchestrator.observe(signal),
  ])
  return { nodes, services: [...services].sort((a, b) => compareNames(a.spec.name, b.spec.name)) }
}

/** Orders `index_2` before `index_10`. */
function compareNames(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
