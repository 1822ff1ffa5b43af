import { join } from 'node:path'
import { readConsoleToken } from '../config/console-token.ts'
import type { Profile } from '../config/schema.ts'
import type { Context } from '../flows/context.ts'
import type { Archives } from '../ports/archives.ts'
import type { ConsoleFeed } from '../ports/console-feed.ts'
import type { FatePackages } from '../ports/fate-packages.ts'
import type { Ingestion } from '../ports/ingestion.ts'
import type { ItemFetcher, ItemSources } from '../ports/item-sources.ts'
import type { Reports } from '../ports/reports.ts'
import type { Repositories } from '../ports/repositories.ts'
import type { RunSink } from '../ports/run-sink.ts'
import type { ShardSource } from '../ports/shard-source.ts'
import type { RouterProcess, TrafficRouter } from '../ports/traffic-router.ts'
import { onUse } from './on-use.ts'

/** Where the router of this machine keeps its files, below the state. */
const ROUTER = 'router'

export type SeldomPorts = Pick<
  Context,
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
  | 'runSinks'
  | 'consoles'
>
type Parts = Pick<Context, 'owner'> & { readonly shell: Context['shell'] }

/** What single commands need; nothing heavy is loaded before they ask. */
export async function createSeldomPorts(profile: Profile, parts: Parts): Promise<SeldomPorts> {
  return {
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
        shell: parts.shell,
        operationTimeoutMs: 1000 * profile.ssh.operationSeconds,
      }),
    ),
    runSinks: createSinks(profile),
    ...(profile.engine === 'swarm' &&
      profile.gateway.console.enabled === true && { consoles: createConsoles(profile) }),
  }
}

/** Queue, gallery and ledgers as files of this machine. */
async function createIngestion({ state, ingest }: Profile, { owner }: Parts): Promise<Ingestion> {
  const [{ createGalleryStore }, { createSqliteQueueStore }] = await Promise.all([
    import('../adapters/gallery-store/store.ts'),
    import('../adapters/queue/store.ts'),
  ])
  const { queueItems: capacity, holdSeconds, urls } = ingest
  const path = join(state, 'queue', 'queue.sqlite')
  return {
    galleries: createGalleryStore(join(state, 'gallery')),
    queues: createSqliteQueueStore({ path, capacity, holdMs: 1000 * holdSeconds }),
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
