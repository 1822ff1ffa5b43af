import { resolve } from 'node:path'
import type { DeclaredModel } from '../config/models.ts'
import type { Profile } from '../config/schema.ts'
import { LongshoreError } from '../domain/errors.ts'
import { MODEL_PLACE, modelImageName } from '../domain/model-image.ts'
import type { Blueprint, Extraction } from '../domain/plan-services.ts'
import { GROUPS } from '../domain/service.ts'
import { listModels, listOnnxModels } from './declared-models.ts'
import { createSpread } from './spread.ts'

/** The services that a profile asks for, with the environment of their tasks. Raises `usage` without an image in a Swarm. */
export function createBlueprint(profile: Profile): Blueprint {
  const { gateway, index, gates, engine, swarm, update } = profile
  const common = {
    ...(engine === 'swarm' && { IMAGE: findImage(swarm) }),
    ...describeTraces(profile.traces),
  }
  const models = listModels(profile)
  const spread = createSpread(profile)
  return {
    ...(spread && { spread }),
    strategy: update.strategy,
    gateway: {
      replicas: gateway.replicas,
      port: gateway.port,
      settings: {
        ...common,
        HOST: gateway.host,
        MODELS: JSON.stringify(models.map(describeModel)),
        TIMEOUT_MS: String(Math.round(gateway.timeoutSeconds * 1000)),
        PARTIAL: gateway.partial,
        HEDGE_SHARE: String(gateway.hedgeShare),
        MAX_IN_FLIGHT: String(gateway.maxInFlight),
        CACHE_ENTRIES: String(gateway.cacheEntries),
        CANARY_RECALL: String(gates.recall),
        CANARY_GOLDEN: String(gates.golden),
        CANARY_MODEL: String(gates.model),
        ...describeConsole(profile),
        ...(update.strategy === 'replica-groups' && { INDEX_GROUPS: GROUPS.join(',') }),
      },
    },
    index: { replicas: index.replicas, settings: { ...common, ...describeSearch(index) } },
    extractions: models.map((declared) => createExtraction(declared, common)),
  }
}

/** Nothing for services of a profile without traces, which therefore stay as they are. */
function describeTraces({ url, share }: Profile['traces']): { readonly TRACES?: string } {
  return url === null ? {} : { TRACES: JSON.stringify({ url, share }) }
}

/** What a gateway must know to serve the console: in a Swarm it cannot look at the fleet itself, and is told what stands there. */
function describeConsole(profile: Profile): Record<string, string> {
  const { name, engine, state, nodes, gateway } = profile
  const { enabled, tokenDigest } = gateway.console
  if (enabled !== true) return {}
  const fleet = engine === 'local' && { state: resolve(state), nodes: nodes.map((node) => node.name) }
  return {
    CONSOLE: JSON.stringify({ profile: name, ...(tokenDigest && { tokenDigest }), ...(fleet && { fleet }) }),
  }
}

/** A model, and how it is asked where a server of somebody else's embeds under it: what a gateway must know. */
function describeModel({ model, extraction }: DeclaredModel): Record<string, unknown> {
  const { url, onnx, protocol, serverModel, input, output } = extraction
  return {
    ...model,
    ...(url !== undefined && { server: { url, protocol, serverModel, input, output } }),
    ...(onnx !== undefined && { isOnnx: true }),
  }
}

function createExtraction(
  { model, extraction }: DeclaredModel,
  common: { readonly IMAGE?: string },
): Extraction {
  const { url, onnx, replicas, device } = extraction
  const settings = {
    ...common,
    MODEL: JSON.stringify(model),
    ...describeOnnx(extraction),
    // The directory of a model is one of this machine: nodes of a Swarm find it in an image.
    ...(onnx !== undefined &&
      common.IMAGE !== undefined && {
        IMAGE: modelImageName(common.IMAGE, model),
        MODEL_DIR: MODEL_PLACE,
      }),
  }
  const isOnGpu = onnx !== undefined && common.IMAGE !== undefined && device === 'gpu'
  const template = { replicas, ...(isOnGpu && { isOnGpu }), settings }
  return { fingerprint: model.fingerprint, template: url === undefined ? template : null }
}

/** The images that nodes of a Swarm need: that of the services, and one for each ONNX model. Raises `usage`. */
export function listImages(profile: Profile): string[] {
  const image = findImage(profile.swarm)
  return [image, ...listOnnxModels(profile).map(({ model }) => modelImageName(image, model))]
}

/** How our own extraction service is told of an ONNX model; nothing for the built-in one. */
export function describeOnnx({
  onnx,
  device,
  output,
}: Pick<DeclaredModel['extraction'], 'onnx' | 'device' | 'output'>): Record<string, string> {
  if (onnx === undefined) return {}
  return {
    MODEL_DIR: resolve(onnx),
    DEVICE: device,
    ...(output !== undefined && { MODEL_OUTPUT: output }),
  }
}

/** What an index service would not do by itself: a profile that asks for nothing changes no service that runs. */
function describeSearch({ threads, search, filterMegabytes }: Profile['index']): Record<string, string> {
  return {
    ...(threads !== undefined && { THREADS: String(threads) }),
    ...(search === 'exact' && { SEARCH_KIND: search }),
    ...(filterMegabytes !== undefined && { FILTER_MEMORY_MB: String(filterMegabytes) }),
  }
}

function findImage({ image }: Profile['swarm']): string {
  if (image !== undefined) return image
  throw new LongshoreError(
    'usage',
    'swarm.image: missing in the profile; expected the image of the services',
    {
      hint: 'npx zx scripts/image.mjs --profile FILE brings it to the nodes and prints its name',
    },
  )
}
