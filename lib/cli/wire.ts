import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Device } from '../config/extraction-schema.ts'
import { loadProfile } from '../config/load.ts'
import type { DeclaredModel } from '../config/models.ts'
import { type DigestFiles, identifyOnnxModels } from '../config/onnx-models.ts'
import type { Profile } from '../config/schema.ts'
import { describeOnnx, listImages } from '../flows/blueprint.ts'
import type { Context } from '../flows/context.ts'
import { servingDevice } from '../flows/run-device.ts'
import type { Archives } from '../ports/archives.ts'
import type { EmbeddingServer } from '../ports/embedding-server.ts'
import type { GenerationSearch } from '../ports/generation-search.ts'
import type { ItemFiles } from '../ports/input.ts'

/** The model that ships with Longshore; any other needs a server. */
const BUILTIN_MODEL = 'lexical-hash'
/** Each is a channel of the SSH connection to its node, of which there are some ten for all that is done there. */
const CONNECTIONS_PER_TASK = 3
/** Where profiles lie, and what is made of them. */
const CONFIG = 'config'
const SERVICES = fileURLToPath(new URL('../../services/main.ts', import.meta.url))

export type ContextSettings = Pick<Context, 'reporter' | 'signal' | 'owner' | 'dryRun' | 'confirm'> & {
  readonly profileFile: string
}

/** Everything that a flow may touch, by the profile: the only place that picks adapters. Raises `usage` for a wrong profile. */
export async function createContext(
  settings: ContextSettings,
): Promise<{ context: Context; close(): Promise<void> }> {
  const { profileFile, ...parts } = settings
  const profile = await identifyOnnxModels(await loadProfile(profileFile), digestFiles)
  const own = createOwnOnUse(profile, () => context)
  const ports = await createPorts(profile, parts, own)
  const context: Context = { ...parts, ...ports, profile, now: Date.now }
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
  | 'archives'
  | 'openServer'
  | 'embedderOf'
  | 'shell'
  | 'workplace'
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
    generationSearch: createSearchOnUse(profile.generations),
    writer: writer.createGenerationWriter(profile.generations),
    images: images.createDockerImages(),
    stackFiles: stackFiles.createStackFiles({ root: CONFIG, profile: profile.name }),
    rates: rateStore.createRateStore(profile.state),
    embedder,
    itemFiles: { read: async (...args) => (await loadItemFiles()).read(...args) },
    ledgers: {
      async open(model) {
        const { createLedgerStore } = await import('../adapters/ledger/store.ts')
        return await createLedgerStore({ directory: join(profile.state, 'ledger'), owner: parts.owner }).open(
          model,
        )
      },
    },
    archives: createArchivesOnUse(profile.generations),
    openServer: (declared, device) => createServer(withDevice(declared, device), own),
    embedderOf: (declared) => createEmbedder(asServed(profile, declared), own),
    ...engine,
  }
}

async function loadItemFiles(): Promise<ItemFiles> {
  return (await import('../adapters/inputs/item-files.ts')).createItemFiles()
}

/** Hardly any command searches by itself. */
function createSearchOnUse(root: string): GenerationSearch {
  const load = async () =>
    (await import('../adapters/generations/search-whole.ts')).createGenerationSearch(root)
  return {
    readGolden: async (manifest) => (await load()).readGolden(manifest),
    search: async (...args) => (await load()).search(...args),
  }
}

/** Archives need a package that hardly any command does. */
function createArchivesOnUse(root: string): Archives {
  const load = async () => (await import('../adapters/archive/archives.ts')).createArchives(root)
  return {
    write: async (...args) => (await load()).write(...args),
    readManifest: async (path) => (await load()).readManifest(path),
    restore: async (...args) => (await load()).restore(...args),
  }
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

/** What gates, and inputs without vectors, embed with: a server, ours or another, or the model that ships with Longshore. */
async function createEmbedder(declared: DeclaredModel, own: OwnOnUse): Promise<Ports['embedder']> {
  const { model, extraction } = declared
  if (extraction.url === undefined && extraction.onnx === undefined && model.name !== BUILTIN_MODEL) {
    const { createAbsentEmbedder } = await import('../adapters/embed/absent.ts')
    return createAbsentEmbedder(model)
  }
  const { createServerEmbedder } = await import('../adapters/embed/server-embedder.ts')
  return createServerEmbedder(await createServer(declared, own), model.dimensions)
}

/** What embeds under a model: the server that the profile names, one of our own for this run, or the model that ships with Longshore. */
async function createServer({ model, extraction }: DeclaredModel, own: OwnOnUse): Promise<EmbeddingServer> {
  const { url, onnx, timeoutSeconds } = extraction
  const timeoutMs = 1000 * timeoutSeconds
  if (onnx !== undefined) return await own.open({ model, extraction })
  if (url === undefined) {
    const { createBuiltinServer } = await import('../adapters/embed/builtin.ts')
    return createBuiltinServer(model)
  }
  const { createEmbeddingServer } = await import('../adapters/embed/create-server.ts')
  return createEmbeddingServer({ endpoints: () => [url], model, extraction, timeoutMs })
}

/** The device that an operator names comes before that of the profile. */
function withDevice({ model, extraction }: DeclaredModel, device: Device): DeclaredModel {
  return { model, extraction: device === 'auto' ? extraction : { ...extraction, device } }
}

/** The device that queries are embedded on. A Swarm gives a GPU to those services alone that ask for one. */
function asServed({ engine }: Profile, { model, extraction }: DeclaredModel): DeclaredModel {
  return { model, extraction: { ...extraction, device: servingDevice(engine, extraction) } }
}

type OwnServer = { open(declared: DeclaredModel): EmbeddingServer; close(): Promise<void> }
type OwnOnUse = { open(declared: DeclaredModel): Promise<EmbeddingServer>; close(): Promise<void> }

/** Servers of our own are started by commands that embed under an ONNX model alone; the context is there when they are. */
function createOwnOnUse(profile: Profile, context: () => Context): OwnOnUse {
  let servers: Promise<OwnServer> | undefined
  const load = () => {
    servers ??= profile.engine === 'swarm' ? createFleetOnUse(context) : createLocalServers(profile)
    return servers
  }
  return {
    open: async (declared) => (await load()).open(declared),
    close: async () => (await servers)?.close(),
  }
}

async function createLocalServers({ state }: Profile): Promise<OwnServer> {
  const { createOwnServers } = await import('../adapters/local/own-servers.ts')
  const servers = createOwnServers({ state, entry: SERVICES })
  return {
    open: ({ model, extraction }) =>
      servers.open({
        model,
        timeoutMs: 1000 * extraction.timeoutSeconds,
        settings: describeOnnx(extraction),
      }),
    close: () => servers.close(),
  }
}

async function createFleetOnUse(context: () => Context): Promise<OwnServer> {
  const [{ createFleetServers }, { createEmbeddingServer }, { createHttpClient }] = await Promise.all([
    import('../flows/fleet-servers.ts'),
    import('../adapters/embed/create-server.ts'),
    import('../adapters/http/client.ts'),
  ])
  return createFleetServers({
    context,
    connect: ({ model, extraction }, endpoints) =>
      createEmbeddingServer({
        ...{ endpoints, model },
        timeoutMs: 1000 * extraction.timeoutSeconds,
        extraction: { protocol: 'tf-serving' },
        client: createHttpClient({ connections: CONNECTIONS_PER_TASK }),
      }),
  })
}
