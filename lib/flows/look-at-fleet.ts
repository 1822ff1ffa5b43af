import { type Finding, fail } from '../domain/finding.ts'
import type { Fleet, FleetNode } from '../domain/fleet.ts'
import type { FleetRecord } from '../domain/record.ts'
import type { Survey } from '../ports/surroundings.ts'
import { type Attempt, attempt, withinTime } from './attempt.ts'
import type { FleetContext } from './context.ts'

/** As much of a fleet as can be seen in time. */
export type Sight = {
  /** Nodes that told what they hold, and those that cannot be reached. */
  readonly nodes: readonly FleetNode[]
  /** Null where services could not be asked. */
  readonly fleet: Fleet | null
  /** Null where it cannot be read. */
  readonly record: FleetRecord | null
  /** What the engine found around it. */
  readonly findings: readonly Finding[]
  /** What could not be seen. */
  readonly unseen: readonly Finding[]
}

/** Looks at everything at once: what does not answer holds up nothing else. Raises nothing but an interruption. */
export async function lookAtFleet(context: FleetContext, limitMs: number): Promise<Sight> {
  const { profile, transport, orchestrator, state, surroundings, signal } = context
  const options = { signal, limitMs }
  const [inspected, survey, services, record] = await Promise.all([
    Promise.all(
      profile.nodes.map(({ name }) => attempt((limited) => transport.inspect(name, limited), options)),
    ),
    withinTime((limited) => surroundings.examine(limited), options),
    attempt((limited) => orchestrator.observe(limited), options),
    attempt(() => state.read(), options),
  ])
  signal.throwIfAborted()
  const seen = profile.nodes.map(({ name }, at) => mergeNode(name, inspected[at]!, survey))
  const nodes = seen.flatMap((one) => ('node' in one ? one.node : []))
  return {
    nodes,
    fleet: 'value' in services ? { nodes, services: services.value } : null,
    record: 'value' in record ? record.value : null,
    findings: survey.findings,
    unseen: [
      ...seen.flatMap((one) => ('unseen' in one ? one.unseen : [])),
      ...describe(services, 'services', 'what runs cannot be told'),
      ...describe(record, 'record', 'releases on record cannot be read'),
    ],
  }
}

/** A node that says nothing to the engine cannot be reached, whatever else is known of it. */
function mergeNode(
  name: string,
  inspected: Attempt<FleetNode>,
  { silent }: Survey,
): { readonly node: FleetNode } | { readonly unseen: Finding[] } {
  if ('value' in inspected && !inspected.value.reachable) return { node: inspected.value }
  const silence = silent.find((one) => one.name === name)
  if (silence)
    return { node: { ...silence, reachable: false, freeBytes: 0, memoryBytes: 0, generations: [] } }
  if ('value' in inspected) return { node: inspected.value }
  return { unseen: describe(inspected, 'holdings', `what ${name} holds cannot be told`) }
}

function describe(attempted: Attempt<unknown>, check: string, what: string): Finding[] {
  if ('value' in attempted) return []
  const hint = attempted.hint ?? 'mend what the findings before this one tell, then run doctor.mjs again'
  return [fail(check, `${what}: ${attempted.problem}`, hint)]
}
