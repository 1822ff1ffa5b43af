import { fileURLToPath } from 'node:url'
import type { Device } from '../config/extraction-schema.ts'
import type { DeclaredModel } from '../config/models.ts'
import type { Profile } from '../config/schema.ts'
import { describeOnnx } from '../flows/blueprint.ts'
import type { Context } from '../flows/context.ts'
import { servingDevice } from '../flows/run-device.ts'
import type { Embedder } from '../ports/embedder.ts'
import type { EmbeddingServer } from '../ports/embedding-server.ts'

/** The model that ships with Longshore; any other needs a server. */
const BUILTIN_MODEL = 'lexical-hash'
/** Each is a channel of the SSH connection to its node, of which there are some ten for all that is done there. */
const CONNECTIONS_PER_TASK = 3
const SERVICES = fileURLToPath(new URL('../../services/main.ts', import.meta.url))

/** What gates, and inputs without vectors, embed with: a server, ours or another, or the model that ships with Longshore. */
export async function createEmbedder(declared: DeclaredModel, own: OwnOnUse): Promise<Embedder> {
  const { model, extraction } = declared
  if (extraction.url === undefined && extraction.onnx === undefined && model.name !== BUILTIN_MODEL) {
    const { createAbsentEmbedder } = await import('../adapters/embed/absent.ts')
    return createAbsentEmbedder(model)
  }
  const { createServerEmbedder } = await import('../adapters/embed/server-embedder.ts')
  return createServerEmbedder(await createServer(declared, own), model.dimensions)
}

/** What embeds under a model: the server that the profile names, one of our own for this run, or the model that ships with Longshore. */
export async function createServer(
  { model, extraction }: DeclaredModel,
  own: OwnOnUse,
): Promise<EmbeddingServer> {
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
export function withDevice({ model, extraction }: DeclaredModel, device: Device): DeclaredModel {
  return { model, extraction: device === 'auto' ? extraction : { ...extraction, device } }
}

/** The device that queries are embedded on. A Swarm gives a GPU to those services alone that ask for one. */
export function asServed({ engine }: Profile, { model, extraction }: DeclaredModel): DeclaredModel {
  return { model, extraction: { ...extraction, device: servingDevice(engine, extraction) } }
}

type OwnServer = { open(declared: DeclaredModel): EmbeddingServer; close(): Promise<void> }
export type OwnOnUse = { open(declared: DeclaredModel): Promise<EmbeddingServer>; close(): Promise<void> }

/** Servers of our own are started by commands that embed under an ONNX model alone; the context is there when they are. */
export function createOwnOnUse(profile: Profile, context: () => Context): OwnOnUse {
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
