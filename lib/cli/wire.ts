import { join } from 'node:path'
import { readConsoleToken, settleConsole } from '../config/console-token.ts'
import { loadProfile } from '../config/load.ts'
import { type DigestFiles, identifyOnnxModels } from '../config/onnx-models.ts'
import type { Profile } from '../config/schema.ts'
import { listImages } from '../flows/blueprint.ts'
import type { Context } from '../flows/context.ts'
import type { Archives } from '../ports/archives.ts'
import type { ConsoleFeed } from '../ports/console-feed.ts'
import type { FatePackages } from '../ports/fate-packages.ts'
import type { GenerationSearch } from '../ports/generation-search.ts'
import type { Ingestion } from '../ports/ingestion.ts'
import type { ItemFiles } from '../ports/input.ts'
import type { ItemFetcher, ItemSources } from '../ports/item-sources.ts'
import type { Reports } from '../ports/reports.ts'
import type { Repositories } from '../ports/repositories.ts'
import type { RunSink } from '../ports/run-sink.ts'
import type { ShardSource } from '../ports/shard-source.ts'
import type { RouterProcess, TrafficRouter } from '../ports/traffic-router.ts'
import {
  asServed,
  createEmbedder,
  createOwnOnUse,
  createServer,
  type OwnOnUse,
  withDevice,
} from './wire-embedding.ts'

/** Where profiles lie, and what is made of them. */
const CONFIG = 'config'
/** Where the router of this machine keeps its files, below the state. */
const ROUTER = 'router'

export type ContextSettings = Pick<Context, 'reporter' | 'signal' | 'owner' | 'dryRun' | 'confirm'> & {
  readonly profileFile: string
}

/** Everything that a flow may touch, by the profile: with wire-embedding.ts the only place that picks adapters. Raises `usage` for a wrong profile. */
export async function createContext(
  settings: ContextSettings,
): Promise<{ context: Context; close(): Promise<void> }> {
  const { profileFile, ...parts } = settings
  const profile = await settleConsole(await identifyOnnxModels(await loadProfile(profileFile), digestFiles))
  const own = createOwnOnUse(profile, () => context)
  const ports = await createPorts(profile, parts, own)
  const openFleet = (file: string) => createContext({ ...parts, profileFile: file })
  const context: Context = { ...parts, ...ports, profile, openFleet, now: Date.now }
  return {
    context,
    async close() {
      await own.close()
      await ports.transport.close()
      await ports.shell?.close()
    },
  }
}

/** A second for each gigabyte, about; a fingerprint in the profile saves it. */
const digestFiles: DigestFiles = async (root, model) => {
  const [{ digestModel }, { findModelDirectory }] = await Promise.all([
    import('../adapters/models/digest.ts'),
    import('../adapters/models/repository.ts'),
  ])
  return await digestModel(findModelDirectory(root, model))
}

type EngineParts = Pick<ContextSettings, 'reporter' | 'signal' | 'owner'>
type Ports = Pick<
  Context,
  | 'inputs'
  | 'generations'
  | 'generationSearch'
  | 'writer'
  | 'images'
  | 'transport'
  | 'mender'
  | 'rates'
  | 'orchestrator'
  | 'publishing'
  | 'stack'
  | 'stackFiles'
  | 'state'
  | 'surroundings'
  | 'embedder'
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
  | 'embedderOf'
  | 'shell'
  | 'workplace'
  | 'consoles'
  | 'runSinks'
>
type Engine = Pick<
  Ports,
  | 'transport'
  | 'mender'
  | 'orchestrator'
  | 'publishing'
  | 'stack'
  | 'state'
  | 'surroundings'
  | 'shell'
  | 'workplace'
>

async function createPorts(profile: Profile, parts: EngineParts, own: OwnOnUse): Promise<Ports> {
  const [store, writer, images, stackFiles, rateStore, engine, embedder] = await Promise.all([
    import('../adapters/generations/store.ts'),
    import('../adapters/generations/writer.ts'),
    import('../adapters/docker/images.ts'),
    import('../adapters/files/stack-files.ts'),
    import('../adapters/files/rate-store.ts'),
    profile.engine === 'swarm' ? createSwarm(profile, parts) : createLocal(profile),
    createEmbedder(asServed(profile, profile), own),
  ])
  return {
    // Readers of all formats, which one command in ten needs.
    inputs: {
      open: async (path) => (await import('../adapters/inputs/open-input.ts')).openInput(path),
      readPairs: async (path) => (await import('../adapters/inputs/golden-pairs.ts')).readGoldenPairs(path),
      readText: async (path) => (await import('../adapters/inputs/text-file.ts')).readTextFile(path),
    },
    generations: store.createGenerationStore(profile.generations),
    generationSearch: onUse<GenerationSearch>({ readGolden: true, search: true }, async () =>
      (await import('../adapters/generations/search-whole.ts')).createGenerationSearch(profile.generations),
    ),
    writer: writer.createGenerationWriter(profile.generations),
    images: images.createDockerImages(),
    stackFiles: stackFiles.createStackFiles({ root: CONFIG, profile: profile.name }),
    rates: rateStore.createRateStore(profile.state),
    embedder,
    itemFiles: onUse<ItemFiles>({ read: true }, async () =>
      (await import('../adapters/inputs/item-files.ts')).createItemFiles(),
    ),
    ledgers: {
      async open(model) {
        const { createLedgerStore } = await import('../adapters/ledger/store.ts')
        return await createLedgerStore({ directory: join(profile.state, 'ledger'), owner: parts.owner }).open(
          model,
        )
      },
    },
    ingestion: await createIngestion(profile, parts),
    archives: onUse<Archives>({ write: true, readManifest: true, restore: true }, async () =>
      (await import('../adapters/archive/archives.ts')).createArchives(profile.generations),
    ),
    reports: onUse<Reports>({ read: true, write: true }, async () =>
      (await import('../adapters/reports/store.ts')).createReports(join(profile.state, 'reports')),
    ),
    shardSources: { open: (file) => openShards(file, join(profile.state, 'galleries')) },
    fatePackages: onUse<FatePackages>(
      { open: true, has: true, digest: true, createDraft: true, parseMeta: true, emptyMeta: true },
      async () => (await import('../adapters/fate/packages.ts')).createFatePackages(),
    ),
    openFateFlow: async (url) => (await import('../adapters/fate/fate-flow.ts')).createFateFlow(url),
    openModelServer: async (url) =>
      (await import('../adapters/deepdetect/model-server.ts')).createModelServer(url),
    router: onUse<TrafficRouter>(
      { readRoutes: true, writeRoutes: true, readTraffic: true, readRecent: true },
      async () => await openRouter(profile),
    ),
    routerProcess: onUse<RouterProcess>({ isRunning: true, start: true, stop: true }, async () =>
      (await import('../adapters/router/router-process.ts')).createRouterProcess({
        ...profile.router,
        directory: join(profile.state, ROUTER),
        timeoutMs: 1000 * profile.router.timeoutSeconds,
      }),
    ),
    repositories: onUse<Repositories>({ list: true, inspect: true, copy: true }, async () =>
      (await import('../adapters/ssh/repositories.ts')).createRepositories({
        shell: engine.shell,
        operationTimeoutMs: 1000 * profile.ssh.operationSeconds,
      }),
    ),
    openServer: (declared, device) => createServer(withDevice(declared, device), own),
    embedderOf: (declared) => createEmbedder(asServed(profile, declared), own),
    runSinks: createSinks(profile),
    ...(profile.engine === 'swarm' &&
      profile.gateway.console.enabled === true && { consoles: createConsoles(profile) }),
    ...engine,
  }
}

/** Queue, gallery and ledgers as files of this machine. */
async function createIngestion({ state, ingest }: Profile, { owner }: EngineParts): Promise<Ingestion> {
  const [galleries, queues] = await Promise.all([
    import('../adapters/gallery-store/store.ts'),
    import('../adapters/queue/store.ts'),
  ])
  const { queueItems: capacity, holdSeconds, urls } = ingest
  return {
    galleries: galleries.createGalleryStore(join(state, 'gallery')),
    queues: queues.createSqliteQueueStore({
      path: join(state, 'queue', 'queue.sqlite'),
      capacity,
      holdMs: 1000 * holdSeconds,
    }),
    sources: onUse<ItemSources>({ open: true }, async () =>
      (await import('../adapters/inputs/item-sources.ts')).createItemSources(),
    ),
    fetcher: onUse<ItemFetcher>({ fetch: true }, async () =>
      (await import('../adapters/http/fetch-item.ts')).createItemFetcher(urls),
    ),
    ledgers: {
      async share(model) {
        const { createLedgerStore } = await import('../adapters/ledger/store.ts')
        return await createLedgerStore({ directory: join(state, 'ledger'), owner }).share(model)
      },
    },
  }
}

/** An adapter that is loaded when it is first asked, for what hardly any command needs: `methods` names all that it has. */
function onUse<Adapter extends Asked<Adapter>>(
  methods: Readonly<Record<keyof Adapter, true>>,
  load: () => Promise<Adapter>,
): Adapter {
  const names = Object.keys(methods) as (keyof Adapter)[]
  const entries = names.map((name) => [name, async (...args: never[]) => (await load())[name](...args)])
  return Object.fromEntries(entries) as Adapter
}

/** All of whose members are asked and answer later. */
type Asked<Adapter> = Readonly<Record<keyof Adapter, (...args: never[]) => Promise<unknown>>>

/** Not needed before a command ends. */
function createSinks({ metrics: { textfile }, mlflow }: Profile): RunSink[] {
  const { url, experiment, tokenVariable } = mlflow
  const token = tokenVariable === undefined ? undefined : process.env[tokenVariable]
  const textfiles: RunSink = {
    key: 'metrics.textfile',
    take: async (facts) =>
      (await import('../adapters/files/textfile-sink.ts')).createTextfileSink(textfile!).take(facts),
  }
  const tracker: RunSink = {
    key: 'mlflow.url',
    take: async (facts) =>
      (await import('../adapters/mlflow/run-sink.ts'))
        .createMlflowSink({ url: url!, experiment, token })
        .take(facts),
  }
  return [...(textfile === null ? [] : [textfiles]), ...(url === null ? [] : [tracker])]
}

/** Told by one command alone. */
function createConsoles({ gateway }: Profile): ConsoleFeed {
  const { tokenFile = '' } = gateway.console
  return onUse<ConsoleFeed>({ publish: true }, async () =>
    (await import('../adapters/console/feed.ts')).createConsoleFeed(() => readConsoleToken(tokenFile)),
  )
}

/** The router that the profile names, or the one of this machine with the token that it was started with. */
async function openRouter({ state, router }: Profile): Promise<TrafficRouter> {
  const [{ createTrafficRouter }, { locateToken }, { readTextFile }] = await Promise.all([
    import('../adapters/router/traffic-router.ts'),
    import('../adapters/router/router-process.ts'),
    import('../adapters/inputs/text-file.ts'),
  ])
  const { url = `http://${router.host}:${router.port}`, tokenFile = locateToken(join(state, ROUTER)) } =
    router
  return createTrafficRouter({ url, readToken: async () => (await readTextFile(tokenFile)).trim() })
}

/** Other fleets are read by one command alone. */
async function openShards(file: string, directory: string): Promise<ShardSource> {
  const [{ loadShardsFile }, { createShardSource }] = await Promise.all([
    import('../config/shards-file.ts'),
    import('../adapters/shards/source.ts'),
  ])
  return createShardSource(await loadShardsFile(file), directory)
}

/** Child processes of this machine, and files that remember them. */
async function createLocal({ state, update }: Profile): Promise<Engine> {
  const [transport, stateStore, orchestrators, publishing, stack, surroundings] = await Promise.all([
    import('../adapters/local/transport.ts'),
    import('../adapters/local/state-store.ts'),
    import('../adapters/local/orchestrator.ts'),
    import('../adapters/local/port-check.ts'),
    import('../adapters/local/stack.ts'),
    import('../adapters/local/surroundings.ts'),
  ])
  const orchestrator = orchestrators.createLocalOrchestrator({ state })
  const local = transport.createLocalTransport({ state })
  return {
    transport: local,
    mender: local,
    state: stateStore.createLocalStateStore({ state, leaseSeconds: update.leaseSeconds }),
    orchestrator,
    publishing: publishing.createLocalPublishing(),
    stack: stack.createLocalStack(orchestrator),
    surroundings: surroundings.createLocalSurroundings(),
  }
}

/** A Swarm behind SSH, which remembers for itself. */
async function createSwarm(profile: Profile, { signal, reporter }: EngineParts): Promise<Engine> {
  const { name, nodes, ssh, swarm, update } = profile
  const [shells, deliveries, store, engines, surroundings] = await Promise.all([
    import('../adapters/ssh/shell.ts'),
    import('../adapters/relay/delivery.ts'),
    import('../adapters/generations/store.ts'),
    import('../adapters/swarm/engine.ts'),
    import('../adapters/swarm/surroundings.ts'),
  ])
  const agent = process.env.SSH_AUTH_SOCK
  const { managers = [], image = '', dataDirectory } = swarm
  const shell = shells.createSshShell({
    nodes: nodes.map(({ host = '', ...node }) => ({ ...node, host })),
    ...(ssh.identityFile !== undefined && { identityFile: ssh.identityFile }),
    ...(agent && { agent }),
    knownHostsFile: ssh.knownHostsFile,
    connectTimeoutMs: 1000 * ssh.connectSeconds,
    keepAliveMs: 1000 * ssh.keepAliveSeconds,
    maxStarting: ssh.maxStarting,
    maxChannels: ssh.maxChannels,
  })
  const transport = deliveries.createDelivery({
    ...profile.delivery,
    ...{ shell, nodes, image, fleet: name, directory: dataDirectory },
    generations: store.createGenerationStore(profile.generations),
    operationTimeoutMs: 1000 * ssh.operationSeconds,
    note: (message) => reporter.note(message),
  })
  const stack = { ...swarm, fleet: name, image, entry: 'services/main.ts' }
  const { leaseSeconds } = update
  const engine = engines.createSwarmEngine({
    ...{ shell, transport, managers, stack, leaseSeconds, signal },
    isSpread: profile.delivery.scope === 'targeted',
  })
  return {
    shell,
    surroundings: surroundings.createSwarmSurroundings({
      ...{ ...profile, shell, transport, managers, stack },
      images: image === '' ? [image] : listImages(profile),
    }),
    ...engine,
    mender: engine.transport,
  }
}
