import { findDrift } from '../domain/drift.ts'
import { listServed } from '../domain/fleet.ts'
import { historyOf } from '../domain/record-rules.ts'
import type { Answer, FleetContext } from './context.ts'
import { observeFleet } from './observe.ts'
import { renderStatus } from './render-status.ts'

/**
 * What stands now: the generation that gateway tasks really serve, the one that a rollback would go to, nodes, services
 * with their tasks, releases, quarantined generations, and drift in sentences. Changes nothing and takes no lock.
 */
export async function status(context: FleetContext): Promise<Answer> {
  const [record, fleet] = await Promise.all([context.state.read(), observeFleet(context)])
  const { host, port } = context.profile.gateway
  const [served = null] = listServed(fleet)
  const state = {
    profile: context.profile.name,
    serving: served && { generation: served.name, digest: served.digest },
    previous: historyOf(record.releases).at(-2)?.name ?? null,
    gateway: { url: `http://${host}:${port}` },
    nodes: fleet.nodes,
    services: fleet.services.map(({ spec, tasks }) => ({ name: spec.name, kind: spec.kind, tasks })),
    releases: record.releases,
    quarantined: record.quarantined,
    frozen: record.frozen,
    run: record.run,
    drift: findDrift(fleet, record),
  }
  return { outcome: 'done', text: renderStatus(state), json: state }
}
