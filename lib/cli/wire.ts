import { join } from 'node:path'
import { settleConsole } from '../config/console-token.ts'
import { loadProfile } from '../config/load.ts'
import { type DigestFiles, identifyOnnxModels } from '../config/onnx-models.ts'
import type { Profile } from '../config/schema.ts'
import type { Context } from '../flows/context.ts'
import type { GenerationSearch } from '../ports/generation-search.ts'
import type { ItemFiles } from '../ports/input.ts'
import { onUse } from './on-use.ts'
import {
  asServed,
  createEmbedder,
  createOwnOnUse,
  createServer,
  type OwnOnUse,
  withDevice,
} from './wire-embedding.ts'
import { createEngine } from './wire-engines.ts'
import { createSeldomPorts } from './wire-seldom.ts'

/** Where profiles lie, and what is made of them. */
const CONFIG = 'config'

export type ContextSettings = Pick<Context, 'reporter' | 'signal' | 'owner' | 'dryRun' | 'confirm'> & {
  readonly profileFile: string
}

/** Everything that a flow may touch, by the profile: with the files `wire-*.ts` the only place that picks adapters. Raises `usage` for a wrong profile. */
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

type PortsParts = Pick<ContextSettings, 'reporter' | 'signal' | 'owner'>
type Ports = Omit<Context, keyof ContextSettings | 'profile' | 'openFleet' | 'now'>

async function createPorts(profile: Profile, parts: PortsParts, own: OwnOnUse): Promise<Ports> {
  const [store, writer, images, stackFiles, rateStore, engine, embedder] = await Promise.all([
    import('../adapters/generations/store.ts'),
    import('../adapters/generations/writer.ts'),
    import('../adapters/docker/images.ts'),
    import('../adapters/files/stack-files.ts'),
    import('../adapters/files/rate-store.ts'),
    createEngine(profile, parts),
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
    ...(await createSeldomPorts(profile, { ...parts, shell: engine.shell })),
    openServer: (declared, device) => createServer(withDevice(declared, device), own),
    embedderOf: (declared) => createEmbedder(asServed(profile, declared), own),
    ...engine,
  }
}
