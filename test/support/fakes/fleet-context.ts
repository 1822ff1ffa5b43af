import { parseProfile } from '../../../lib/config/load.ts'
import type { Manifest } from '../../../lib/domain/manifest.ts'
import type { MeasuredRates } from '../../../lib/domain/measured-rates.ts'
import type { Plan } from '../../../lib/domain/plan.ts'
import type { FleetContext } from '../../../lib/flows/context.ts'
import type { Embedder } from '../../../lib/ports/embedder.ts'
import type { RateStore } from '../../../lib/ports/rate-store.ts'
import type { Reporter } from '../../../lib/ports/reporter.ts'
import type { Survey } from '../../../lib/ports/surroundings.ts'
import { FakeGenerationStore } from './generation-store.ts'
import { FakeOrchestrator } from './orchestrator.ts'
import { createFakeStack, FakeStackFiles } from './stack.ts'
import { FakeStateStore } from './state-store.ts'
import { FakeTransport } from './transport.ts'

const PROFILE = `
name: test
nodes: [{ name: node-1, host: one.example }, { name: node-2, host: two.example }]
model: { name: lexical-hash, version: "1", dimensions: 4, metric: cosine, normalized: true }
gateway: { port: 0 }
update: { soakSeconds: 0 }
`

/** A fleet in memory: everything that flows touch, for tests to bend. */
export class FakeFleet {
  readonly generations: FakeGenerationStore
  readonly transport = new FakeTransport(['node-1', 'node-2'])
  readonly orchestrator = new FakeOrchestrator()
  readonly stack = createFakeStack(this.orchestrator)
  readonly stackFiles = new FakeStackFiles()
  readonly state = new FakeStateStore()
  measured: MeasuredRates = {}
  readonly rates: RateStore = {
    read: async () => this.measured,
    note: async (node, kind, rate) => {
      this.measured = { ...this.measured, [node]: { ...this.measured[node], [kind]: rate } }
    },
  }
  readonly plans: Plan[] = []
  readonly notes: string[] = []
  profile
  publishProblem: string | undefined
  /** What the engine finds around the fleet. */
  survey: (signal: AbortSignal) => Promise<Survey> = async () => ({ findings: [], silent: [] })
  confirm: (plan: Plan) => Promise<void> = async () => undefined

  constructor(manifests: readonly Manifest[], profile = '') {
    this.generations = new FakeGenerationStore(manifests)
    this.profile = parseProfile(PROFILE + profile, 'test.yml')
  }

  /** What the operator writes into the profile, after what every fake fleet has. */
  declare(profile: string): void {
    this.profile = parseProfile(PROFILE + profile, 'test.yml')
  }

  /** The context of one run of a command. */
  context(overrides: Partial<FleetContext> = {}): FleetContext {
    const { generations, transport, orchestrator, stack, stackFiles, state, profile } = this
    const embedder: Embedder = { embed: async (texts) => new Float32Array(4 * texts.length).fill(0.5) }
    return {
      mender: transport,
      rates: this.rates,
      ...{ profile, generations, transport, orchestrator, stack, stackFiles, state, embedder },
      embedderOf: async () => embedder,
      surroundings: { examine: (signal) => this.survey(signal) },
      publishing: { findProblem: async () => this.publishProblem },
      reporter: this.createReporter(),
      signal: new AbortController().signal,
      owner: 'tester@here 1',
      dryRun: false,
      confirm: (plan) => this.confirm(plan),
      now: Date.now,
      ...overrides,
    }
  }

  /** Names of what each ready gateway task routes by, without repeats. */
  served(): string[] {
    const tasks = this.orchestrator.services.get('gateway')?.tasks ?? []
    return [...new Set(tasks.flatMap(({ generations }) => generations.map(({ name }) => name)))]
  }

  /** Names of the generations that a service holds. */
  holds(service: string): string[] {
    return this.orchestrator.services.get(service)?.spec.generations.map(({ name }) => name) ?? []
  }

  private createReporter(): Reporter {
    const silence = () => undefined
    return {
      plan: (plan) => void this.plans.push(plan),
      note: (message) => void this.notes.push(message),
      step: silence,
      progress: silence,
      gates: silence,
    }
  }
}
