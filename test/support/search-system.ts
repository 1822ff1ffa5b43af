import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { extractionServiceName, indexServiceName } from '../../lib/domain/service.ts'
import { renderRefs, type ServiceProcess, startService } from './services.ts'

/** Services that search a generation, without an engine: each a process of its own, found by a file of endpoints. */
export type SearchSystem = {
  readonly endpointsFile: string
  /** Environment of a gateway of this system, which answers nothing from a cache. */
  readonly gatewayEnv: Readonly<Record<string, string>>
  startGateway(env?: Record<string, string>): Promise<ServiceProcess>
  /** Replaces where a service is found. */
  setEndpoints(service: string, urls: readonly string[]): Promise<void>
  readonly indexes: ReadonlyMap<number, ServiceProcess>
  readonly extraction: ServiceProcess
  stop(): Promise<void>
}

/** Starts one index service per cluster and an extraction service for `manifest`, whose directory is in `directory`; `env` is for all of them. */
export async function startSearchSystem(
  directory: string,
  manifest: Manifest,
  env: Readonly<Record<string, string>> = {},
): Promise<SearchSystem> {
  const started: ServiceProcess[] = []
  const start = async (...[kind, own]: Parameters<typeof startService>) => {
    const service = await startService(kind, { ...env, ...own })
    started.push(service)
    return service
  }
  const endpointsFile = join(directory, 'endpoints.json')
  const endpoints: Record<string, readonly string[]> = {}
  const setEndpoints = async (service: string, urls: readonly string[]) => {
    endpoints[service] = urls
    await writeFile(`${endpointsFile}.tmp`, JSON.stringify(endpoints))
    await rename(`${endpointsFile}.tmp`, endpointsFile)
  }
  const GENERATIONS = renderRefs([manifest])
  const MODEL = JSON.stringify(manifest.model)
  const extraction = await start('extraction', { MODEL })
  await setEndpoints(extractionServiceName(manifest.model), [extraction.url])
  const indexes = new Map<number, ServiceProcess>()
  for (const { id } of manifest.clusters) {
    indexes.set(id, await start('index', { DATA_DIR: directory, CLUSTER: String(id), GENERATIONS }))
    await setEndpoints(indexServiceName(id), [indexes.get(id)!.url])
  }
  const gatewayEnv = {
    DATA_DIR: directory,
    GENERATIONS,
    MODELS: JSON.stringify([manifest.model]),
    ENDPOINTS_FILE: endpointsFile,
    TIMEOUT_MS: '2000',
    CACHE_ENTRIES: '0',
  }
  return {
    endpointsFile,
    gatewayEnv,
    startGateway: (env = {}) => start('gateway', { ...gatewayEnv, ...env }),
    setEndpoints,
    indexes,
    extraction,
    stop: async () => {
      await Promise.all(started.map((service) => service.stop()))
    },
  }
}
