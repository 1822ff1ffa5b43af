import type { Profile } from '../config/schema.ts'
import { type Fleet, findService, listServed } from '../domain/fleet.ts'
import { assembleFacts } from '../domain/fleet-facts.ts'
import { GATEWAY } from '../domain/service.ts'
import type { Answer, Context, FleetContext } from './context.ts'
import { observeFreshness } from './ingest-freshness.ts'
import { observeFleet } from './observe.ts'
import { renderStatus } from './render-status.ts'

/**
 * What stands now: the generation that gateway tasks really serve, the one that a rollback would go to, nodes, services
 * with their tasks, releases, a run that is under way, quarantined generations, and drift in sentences. Changes nothing and takes no lock.
 */
export async function status(context: FleetContext & Partial<Pick<Context, 'ingestion'>>): Promise<Answer> {
  const { state: memory, profile } = context
  const [record, journal, holder, fleet] = await Promise.all([
    memory.read(),
    memory.journal(),
    memory.findHolder(),
    observeFleet(context),
  ])
  const facts = assembleFacts({ record, fleet, journal, holder })
  const [served = null] = listServed(fleet)
  const state = {
    profile: profile.name,
    at: new Date(context.now()).toISOString(),
    gateway: { url: locateGateway(profile, fleet) },
    ...facts,
    ingest: await observeFreshness(context, served),
  }
  return { outcome: 'done', text: renderStatus(state), json: state }
}

/** An address at which the gateway answers: in a Swarm, that of a node which publishes it. */
function locateGateway({ engine, gateway, nodes }: Profile, fleet: Fleet): string {
  const ready = findService(fleet, GATEWAY)?.tasks.find(({ state }) => state === 'ready')
  const node = nodes.find(({ name }) => name === ready?.node) ?? nodes[0]
  const host = engine === 'swarm' ? node?.host : gateway.host
  return `http://${host}:${gateway.port}`
}
