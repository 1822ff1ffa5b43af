import { createLocalOrchestrator } from '../../../lib/adapters/local/orchestrator.ts'
import { createLocalStateStore } from '../../../lib/adapters/local/state-store.ts'
import { createLocalTransport } from '../../../lib/adapters/local/transport.ts'
import { assembleFacts, type FleetFacts } from '../../../lib/domain/fleet-facts.ts'
import type { ConsoleSettings } from './settings.ts'

/** What stood at a moment: as `status --json` tells it. */
export type DatedFacts = FleetFacts & {
  readonly at: string
  readonly profile: string
  readonly profileFile?: string
}

/** Where the console has facts from that a gateway does not know by itself. */
export type FactsSource = {
  /** Null while nobody has told any. */
  read(): Promise<DatedFacts | null>
  /** Takes what was published, unless it is older; undefined where the fleet is looked at. */
  readonly take?: (facts: DatedFacts) => void
}

/** So long are facts fresh enough for the next reader. */
const FRESH_MS = 1_000
/** Never taken here, so that its time does not matter. */
const LEASE_S = 30

/** Facts of the fleet that the settings tell where to find, else those that are published. */
export function createFactsSource({ profile, fleet }: ConsoleSettings): FactsSource {
  if (!fleet) {
    let newest: DatedFacts | null = null
    return {
      read: async () => newest,
      take(facts) {
        if (newest === null || facts.at > newest.at) newest = facts
      },
    }
  }
  const look = createLook(fleet)
  let looked = Number.NEGATIVE_INFINITY
  let known: Promise<DatedFacts> | undefined
  return {
    read() {
      if (known && performance.now() - looked < FRESH_MS) return known
      looked = performance.now()
      known = look().then((facts) => ({ profile, ...facts }))
      return known
    },
  }
}

function createLook({ state, nodes }: NonNullable<ConsoleSettings['fleet']>) {
  const memory = createLocalStateStore({ state, leaseSeconds: LEASE_S })
  const transport = createLocalTransport({ state })
  const orchestrator = createLocalOrchestrator({ state })
  return async () => {
    const signal = AbortSignal.timeout(30_000)
    const [record, journal, holder, services, ...inspected] = await Promise.all([
      memory.read(),
      memory.journal(),
      memory.findHolder(),
      orchestrator.observe(signal),
      ...nodes.map((name) => transport.inspect(name, signal)),
    ])
    const sorted = services.toSorted((a, b) =>
      a.spec.name.localeCompare(b.spec.name, 'en', { numeric: true }),
    )
    const fleet = { nodes: inspected, services: sorted }
    return { at: new Date().toISOString(), ...assembleFacts({ record, fleet, journal, holder }) }
  }
}
