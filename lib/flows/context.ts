import type { Device } from '../config/extraction-schema.ts'
import type { DeclaredModel } from '../config/models.ts'
import type { Profile } from '../config/schema.ts'
import type { Plan } from '../domain/plan.ts'
import type { Archives } from '../ports/archives.ts'
import type { ConsoleFeed } from '../ports/console-feed.ts'
import type { Embedder } from '../ports/embedder.ts'
import type { EmbeddingServer } from '../ports/embedding-server.ts'
import type { FateFlow } from '../ports/fate-flow.ts'
import type { FatePackages } from '../ports/fate-packages.ts'
import type { GenerationSearch } from '../ports/generation-search.ts'
import type { GenerationStore } from '../ports/generation-store.ts'
import type { GenerationWriter } from '../ports/generation-writer.ts'
import type { ImageStore } from '../ports/image-store.ts'
import type { Ingestion } from '../ports/ingestion.ts'
import type { InputSource, ItemFiles } from '../ports/input.ts'
import type { LedgerStore } from '../ports/ledger.ts'
import type { Mender } from '../ports/mender.ts'
import type { ModelServer } from '../ports/model-server.ts'
import type { Orchestrator } from '../ports/orchestrator.ts'
import type { Publishing } from '../ports/publishing.ts'
import type { RateStore } from '../ports/rate-store.ts'
import type { RemoteShell } from '../ports/remote-shell.ts'
import type { Reporter } from '../ports/reporter.ts'
import type { Reports } from '../ports/reports.ts'
import type { Repositories } from '../ports/repositories.ts'
import type { RunSink } from '../ports/run-sink.ts'
import type { ShardSources } from '../ports/shard-source.ts'
import type { Stack } from '../ports/stack.ts'
import type { StackFiles } from '../ports/stack-files.ts'
import type { StateStore } from '../ports/state-store.ts'
import type { Surroundings } from '../ports/surroundings.ts'
import type { RouterProcess, TrafficRouter } from '../ports/traffic-router.ts'
import type { Transport } from '../ports/transport.ts'
import type { Workplace } from '../ports/workplace.ts'

/** Everything that a flow may touch, chosen once in cli/wire.ts. */
export interface Context {
  readonly profile: Profile
  readonly inputs: InputSource
  readonly generations: GenerationStore
  readonly generationSearch: GenerationSearch
  readonly writer: GenerationWriter
  readonly images: ImageStore
  readonly transport: Transport
  /** What former deliveries took. */
  readonly rates: RateStore
  /** Repairs copies with what other nodes hold. */
  readonly mender: Mender
  readonly orchestrator: Orchestrator
  readonly publishing: Publishing
  /** What the services are made of. */
  readonly stack: Stack
  readonly stackFiles: StackFiles
  readonly surroundings: Surroundings
  readonly state: StateStore
  readonly embedder: Embedder
  readonly itemFiles: ItemFiles
  readonly ledgers: LedgerStore
  /** What new items go through. */
  readonly ingestion: Ingestion
  readonly archives: Archives
  readonly reports: Reports
  /** Index services of other fleets. */
  readonly shardSources: ShardSources
  readonly fatePackages: FatePackages
  /** The FATE-Flow server at an address. */
  openFateFlow(url: string): Promise<FateFlow>
  /** The server of models, with DeepDetect's API, at an address. */
  openModelServer(url: string): Promise<ModelServer>
  /** What stands before model servers. */
  readonly router: TrafficRouter
  readonly routerProcess: RouterProcess
  /** Files of models, here and on nodes. */
  readonly repositories: Repositories
  /** What embeds under a model, started for this run where nothing that runs already does. Raises `remote`, `usage`. */
  openServer(declared: DeclaredModel, device: Device): Promise<EmbeddingServer>
  /** The fleet of another profile, for what moves from one fleet to another. Raises as loading a profile does. */
  openFleet(profileFile: string): Promise<{ readonly context: Context; close(): Promise<void> }>
  /** What gates embed samples with. */
  embedderOf(declared: DeclaredModel): Promise<Embedder>
  /** Runs commands on nodes, where nodes are machines of their own. */
  readonly shell?: RemoteShell
  /** Ways to tasks of services that run as long as a command, where nodes are machines of their own. */
  readonly workplace?: Workplace
  /** Consoles that have to be told what stands on record: those of gateways in a Swarm. */
  readonly consoles?: ConsoleFeed
  /** Who is told how commands end. */
  readonly runSinks?: readonly RunSink[]
  readonly reporter: Reporter
  readonly signal: AbortSignal
  /** `user@host pid` of this run. */
  readonly owner: string
  readonly dryRun: boolean
  /** Resolves when the operator agrees to the plan; raises `aborted` when not, `usage` without a terminal and `--yes`. */
  confirm(plan: Plan): Promise<void>
  /** Milliseconds since the epoch. */
  now(): number
}

/** What flows need that move the fleet, not files. */
export type FleetContext = Omit<
  Context,
  | 'inputs'
  | 'generationSearch'
  | 'writer'
  | 'images'
  | 'itemFiles'
  | 'ledgers'
  | 'ingestion'
  | 'archives'
  | 'reports'
  | 'shardSources'
  | 'fatePackages'
  | 'openFateFlow'
  | 'openModelServer'
  | 'router'
  | 'routerProcess'
  | 'repositories'
  | 'openServer'
  | 'openFleet'
>

/** What a command answers on stdout: printed as text, or as the members of the `--json` document. */
export type Answer = {
  readonly outcome: 'done' | 'nothing-to-do'
  /** What a dry run would do, shown before the text. */
  readonly plan?: Plan
  /** The answer for people, printed as it is. */
  readonly text: string
  /** Members of the JSON document besides command, outcome, exitCode and tookMs. */
  readonly json: Readonly<Record<string, unknown>>
}
