import { BRIDGE_FILE, BRIDGE_KINDS, type Bridge } from './bridge.ts'
import { LongshoreError } from './errors.ts'
import { isGenerationName } from './generation.ts'
import { computeDigest, expectedPaths, MANIFEST_FORMAT, type Manifest } from './manifest.ts'
import { METRICS } from './model.ts'
import { isSafePath } from './safe-path.ts'
import { SHARD_KINDS, type ShardSearch } from './shard-search.ts'

/**
 * The manifest in `text`, proven to be whole: every member has its form, no path leaves the directory, the list of
 * files is exactly that of its clusters, and the digest fits. `where` names the file in errors. Raises `corrupt`.
 */
export function parseManifest(text: string, where: string): Manifest {
  const fail = (what: string): never => {
    throw new LongshoreError('corrupt', `${where}: ${what}`, {
      hint: 'split the input again, or deliver the generation again from a sound copy',
    })
  }
  let manifest: Manifest
  try {
    manifest = JSON.parse(text) as Manifest
  } catch (error) {
    return fail(`is no JSON (${(error as Error).message})`)
  }
  const problem = findProblem(manifest)
  if (problem) fail(problem)
  const digest = computeDigest(manifest)
  if (digest !== manifest.digest) fail(`digest is ${manifest.digest}, but its contents give ${digest}`)
  return manifest
}

function findProblem(manifest: Manifest): string | undefined {
  if (!isObject(manifest)) return 'expected a JSON object'
  if (manifest.format !== MANIFEST_FORMAT) {
    return `format is ${JSON.stringify(manifest.format)}, expected "${MANIFEST_FORMAT}"`
  }
  if (typeof manifest.generation !== 'string' || !isGenerationName(manifest.generation)) {
    return `generation is ${JSON.stringify(manifest.generation)}, expected dg_N`
  }
  const { owner } = manifest
  if (owner !== undefined && (typeof owner !== 'string' || owner === '')) return 'owner: expected a text'
  return (
    findModelProblem(manifest.model) ??
    findBridgeProblem(manifest.bridge) ??
    findClustersProblem(manifest.clusters) ??
    findRoutingProblem(manifest) ??
    findThresholdProblem(manifest) ??
    findFilesProblem(manifest)
  )
}

function findModelProblem(model: Manifest['model']): string | undefined {
  if (!isObject(model)) return 'model: expected an object'
  if (!isCount(model.dimensions) || model.dimensions === 0)
    return 'model.dimensions: expected a positive integer'
  if (!METRICS.includes(model.metric)) return `model.metric: expected one of ${METRICS.join(', ')}`
  if (typeof model.normalized !== 'boolean') return 'model.normalized: expected true or false'
  const texts = ['name', 'version', 'fingerprint'] as const
  const missing = texts.find((key) => typeof model[key] !== 'string' || model[key] === '')
  return missing && `model.${missing}: expected a text`
}

function findBridgeProblem(bridge: Bridge | undefined): string | undefined {
  if (bridge === undefined) return undefined
  if (!isObject(bridge)) return 'bridge: expected an object'
  const problem = findModelProblem(bridge.model as Bridge['model'])
  if (problem) return `bridge.${problem}`
  if (bridge.map !== BRIDGE_FILE) return `bridge.map: expected "${BRIDGE_FILE}"`
  if (!BRIDGE_KINDS.includes(bridge.kind)) return `bridge.kind: expected one of ${BRIDGE_KINDS.join(', ')}`
  if (!isCount(bridge.pairs)) return 'bridge.pairs: expected a whole number from 0'
  if (!isCount(bridge.heldOut)) return 'bridge.heldOut: expected a whole number from 0'
  return isShare(bridge.keptRecall) ? undefined : 'bridge.keptRecall: expected a number from 0 to 1'
}

function findClustersProblem(clusters: Manifest['clusters']): string | undefined {
  if (!Array.isArray(clusters) || clusters.length === 0) return 'clusters: expected at least one'
  const wrong = clusters.findIndex(
    (cluster) => !isObject(cluster) || !isCount(cluster.id) || !isCount(cluster.items),
  )
  if (wrong >= 0) return `clusters[${wrong}]: expected {id, items}, both whole numbers from 0`
  if (new Set(clusters.map(({ id }) => id)).size !== clusters.length) return 'clusters: an id stands twice'
  for (const [index, { items, copies = 0, search }] of clusters.entries()) {
    if (!isCount(copies) || copies > items) return `clusters[${index}].copies: expected 0 to ${items}`
    const problem = search !== undefined && findSearchProblem(search)
    if (problem) return `clusters[${index}].search${problem}`
  }
  return undefined
}

function findSearchProblem(search: ShardSearch): string | undefined {
  if (!isObject(search)) return ': expected an object'
  if (!SHARD_KINDS.includes(search.kind)) {
    return `.kind is ${JSON.stringify(search.kind)}, expected one of ${SHARD_KINDS.join(', ')}`
  }
  if (search.kind === 'exact') return undefined
  const effort = search.kind === 'hnsw' ? 'expansion' : 'candidates'
  const members: Record<string, unknown> = search
  if (!isCount(members[effort]) || members[effort] === 0) return `.${effort}: expected a positive integer`
  if (search.kind === 'exact-i8' && !isPositive(search.scale)) return '.scale: expected a positive number'
  return isShare(search.recall) ? undefined : '.recall: expected a number from 0 to 1'
}

function findRoutingProblem({ routing, clusters }: Manifest): string | undefined {
  if (!isObject(routing)) return 'routing: expected an object'
  if (!isCount(routing.nprobe) || routing.nprobe < 1 || routing.nprobe > clusters.length) {
    return `routing.nprobe: expected 1 to ${clusters.length}`
  }
  return undefined
}

function findThresholdProblem({ threshold }: Manifest): string | undefined {
  return threshold === undefined || Number.isFinite(threshold) ? undefined : 'threshold: expected a number'
}

function findFilesProblem({ files, clusters, bridge }: Manifest): string | undefined {
  if (!Array.isArray(files)) return 'files: expected a list'
  const expected = new Set(expectedPaths(clusters, bridge))
  for (const [index, file] of files.entries()) {
    if (!isObject(file) || typeof file.path !== 'string')
      return `files[${index}]: expected {path, bytes, sha256}`
    if (!isSafePath(file.path))
      return `files[${index}].path: ${JSON.stringify(file.path)} leaves the generation's directory`
    if (!expected.delete(file.path))
      return `files[${index}].path: ${JSON.stringify(file.path)} stands twice or belongs to no shard`
    if (!isCount(file.bytes)) return `files[${index}].bytes: expected a whole number from 0`
    if (typeof file.sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(file.sha256))
      return `files[${index}].sha256: expected 64 hexadecimal digits`
  }
  const [missing] = expected
  return missing && `files: ${missing} is missing`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPositive(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) > 0
}

function isShare(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) >= 0 && (value as number) <= 1
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
