import type { Profile } from '../config/schema.ts'
import { findDrift } from '../domain/drift.ts'
import { type Fleet, findService, listServed } from '../domain/fleet.ts'
import { historyOf } from '../domain/record-rules.ts'
import { GATEWAY } from '../domain/service.ts'
import type { Answer, Context, FleetContext } from './context.ts'
import { observeFreshness } from './ingest-freshness.ts'
import { observeFleet } from './observe.ts'
import { renderStatus } from './render-status.ts'

/**
 * What stands now: the generation that gateway tasks really serve, the one that a rollback would go to, nodes, services
 * with their tasks, releases, quarantined generations, and drift in sentences. Changes nothing and takes no lock.
 */
export async function status(context: FleetContext & Partial<Pick<Context, 'ingestion'>>): Promise<Answer> {
  const [record, fleet] = await Promise.all([context.state.read(), observeFleet(context)])
  const [served = null] = listServed(fleet)
  const state = {
    profile: context.profile.name,
    serving: served && { generation: served.name, digest: served.digest },
    previous: historyOf(record.releases).at(-2)?.name ?? null,
    gateway: { url: locateGateway(context.profile, fleet) },
    nodes: fleet.nodes,
    services: fleet.services.map(({ spec, tasks }) => ({ name: spec.name, kind: spec.kind, tasks })),
    releases: record.releases,
    quarantined: record.quarantined,
    frozen: record.frozen,
    run: record.run,
    ingest: await observeFreshness(context, served ?? null),
    drift: findDrift(fleet, record),
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
