import { loadProfile } from '../config/load.ts'
import type { Profile } from '../config/schema.ts'
import type { Context } from '../flows/context.ts'

/** The model that ships with Longshore; any other needs a server. */
const BUILTIN_MODEL = 'lexical-hash'

export type ContextSettings = Pick<Context, 'reporter' | 'signal' | 'owner' | 'dryRun' | 'confirm'> & {
  readonly profileFile: string
}

/** Everything that a flow may touch, by the profile: the only place that picks adapters. Raises `usage` for a wrong profile. */
export async function createContext(
  settings: ContextSettings,
): Promise<{ context: Context; close(): Promise<void> }> {
  const { profileFile, ...parts } = settings
  const profile = await loadProfile(profileFile)
  const ports = await createPorts(profile)
  return { context: { ...parts, ...ports, profile, now: Date.now }, close: () => ports.transport.close() }
}

type Ports = Pick<
  Context,
  | 'inputs'
  | 'generations'
  | 'writer'
  | 'images'
  | 'transport'
  | 'orchestrator'
  | 'publishing'
  | 'state'
  | 'embedder'
>

async function createPorts(profile: Profile): Promise<Ports> {
  const [inputs, pairs, store, writer, images, engine, embedder] = await Promise.all([
    import('../adapters/inputs/open-input.ts'),
    import('../adapters/inputs/golden-pairs.ts'),
    import('../adapters/generations/store.ts'),
    import('../adapters/generations/writer.ts'),
    import('../adapters/docker/images.ts'),
    createEngine(profile),
    createEmbedder(profile),
  ])
  return {
    inputs: { open: (path) => inputs.openInput(path), readPairs: pairs.readGoldenPairs },
    generations: store.createGenerationStore(profile.generations),
    writer: writer.createGenerationWriter(profile.generations),
    images: images.createDockerImages(),
    embedder,
    ...engine,
  }
}

/** Where services run, and what remembers them. */
async function createEngine({
  state,
  update,
}: Profile): Promise<Pick<Ports, 'transport' | 'orchestrator' | 'publishing' | 'state'>> {
  const [transport, stateStore, orchestrator, publishing] = await Promise.all([
    import('../adapters/local/transport.ts'),
    import('../adapters/local/state-store.ts'),
    import('../adapters/local/orchestrator.ts'),
    import('../adapters/local/port-check.ts'),
  ])
  return {
    transport: transport.createLocalTransport({ state }),
    state: stateStore.createLocalStateStore({ state, leaseSeconds: update.leaseSeconds }),
    orchestrator: orchestrator.createLocalOrchestrator({ state }),
    publishing: publishing.createLocalPublishing(),
  }
}

/** What gates, and inputs without vectors, embed with: the profile's own server, or the model that ships with Longshore. */
async function createEmbedder({ model, extraction }: Profile): Promise<Ports['embedder']> {
  const { url, timeoutSeconds } = extraction
  if (url === undefined && model.name !== BUILTIN_MODEL) {
    const { createAbsentEmbedder } = await import('../adapters/embed/absent.ts')
    return createAbsentEmbedder(model)
  }
  if (url === undefined) {
    const { createBuiltinEmbedder } = await import('../adapters/embed/builtin.ts')
    return createBuiltinEmbedder(model.dimensions)
  }
  const { createTfServingEmbedder } = await import('../adapters/embed/tf-serving.ts')
  return createTfServingEmbedder({ endpoints: () => [url], model, timeoutMs: 1000 * timeoutSeconds })
}
