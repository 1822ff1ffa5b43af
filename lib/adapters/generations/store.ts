import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { compareGenerations, isGenerationName } from '../../domain/generation.ts'
import { parseGolden } from '../../domain/golden.ts'
import {
  CENTROIDS_FILE,
  countItems,
  GOLDEN_FILE,
  MANIFEST_FILE,
  type Manifest,
} from '../../domain/manifest.ts'
import { parseManifest } from '../../domain/parse-manifest.ts'
import type { GateResult } from '../../domain/quality.ts'
import { measureRecall } from '../../domain/recall.ts'
import type { GateContext, GenerationStore } from '../../ports/generation-store.ts'
import { hasCode } from '../files/durable-files.ts'
import { listDirectory } from '../local/node-directory.ts'
import { crossGates } from './bridge-map.ts'
import { readCentroids } from './centroids.ts'
import { embedPairs, type Inspection, inspect, judgeInspection, type Subject } from './gates.ts'
import { checkLayout, compareHashes, readFileEntry } from './layout.ts'
import { checkSearches, type ShardSearches } from './shard-searches.ts'
import { Workers } from './workers.ts'

/** The generations below one directory. */
export function createGenerationStore(root: string): GenerationStore {
  const locate = (name: string) => join(root, name)
  const readManifest = async (name: string): Promise<Buffer> => {
    try {
      return await readFile(join(locate(name), MANIFEST_FILE))
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error
      throw new LongshoreError('not-found', `there is no generation ${name} in ${root}`, {
        hint: 'npx zx scripts/split-index.mjs <input> makes one',
      })
    }
  }
  const store: GenerationStore = {
    locate,
    async list() {
      return (await listDirectory(root)).filter(isGenerationName).sort(compareGenerations)
    },
    async read(name) {
      const manifest = parseManifest((await readManifest(name)).toString(), join(locate(name), MANIFEST_FILE))
      if (manifest.generation === name) return manifest
      throw new LongshoreError(
        'corrupt',
        `${join(locate(name), MANIFEST_FILE)}: is that of ${manifest.generation}`,
      )
    },
    async fingerprint(name) {
      return `sha256:${createHash('sha256')
        .update(await readManifest(name))
        .digest('hex')}`
    },
    measure: (manifest, context) => measure(store, manifest, context),
  }
  return store
}

async function measure(
  store: GenerationStore,
  manifest: Manifest,
  asked: GateContext,
): Promise<GateResult[]> {
  const { model, bridge, clusters, routing, quality } = manifest
  const directory = store.locate(manifest.generation)
  await checkLayout(directory, manifest)
  const context = bridge ? await crossGates(directory, { model, bridge }, asked) : asked
  const file = join(directory, GOLDEN_FILE)
  const golden = parseGolden(await readFile(file, 'utf8'), file, model.dimensions)
  const pairVectors = await embedPairs(golden.pairs, model.dimensions, context)
  const centroids = await readCentroids(directory, {
    clusters: clusters.length,
    dimensions: model.dimensions,
  })
  const vectors = [...golden.queries.map(({ vector }) => vector), ...(pairVectors ?? [])]
  const subject = { directory, model, clusters, centroids, vectors }
  const ids = golden.queries.map(({ id }) => id)
  const { inspection, files, searches } = await inspectAlone(subject, ids, manifest, context)
  const others = [CENTROIDS_FILE, GOLDEN_FILE, ...(bridge ? [bridge.map] : [])]
  const small = await Promise.all(others.map((path) => readFileEntry(directory, path)))
  compareHashes(directory, manifest, [...small, ...inspection.scan.files, ...files])
  compareCounts(directory, manifest, inspection.scan.shards)
  const queries = golden.queries.map(({ id }, index) => ({ id, found: inspection.found[index]! }))
  const curve = measureRecall(queries, inspection.orders)
  const circumstances = {
    golden,
    hasPairs: pairVectors !== null,
    nprobe: routing.nprobe,
    recall: curve[routing.nprobe - 1]?.recall ?? 1,
    searches,
    rejects: quality.rejects ?? 0,
    parent: await findParent(store, manifest),
  }
  return judgeInspection(subject, inspection, circumstances, context)
}

/** Inspects with threads of its own. */
async function inspectAlone(
  subject: Subject,
  ids: readonly string[],
  manifest: Manifest,
  context: GateContext,
): Promise<ShardSearches & { readonly inspection: Inspection }> {
  const workers = new Workers()
  try {
    const inspection = await inspect(subject, context, workers)
    const searches = await checkSearches({ subject, inspection, ids }, manifest, { context, workers })
    return { inspection, ...searches }
  } finally {
    await workers.stop()
  }
}

function compareCounts(
  directory: string,
  manifest: Manifest,
  shards: readonly { readonly cluster: number; readonly items: number }[],
): void {
  for (const [index, { id, items }] of manifest.clusters.entries()) {
    const found = shards[index]!.items
    if (found !== items) {
      throw new LongshoreError(
        'corrupt',
        `${directory}: clust_${id} holds ${found} items, the manifest says ${items}`,
      )
    }
  }
}

/** The generation that a manifest names as its parent, when it is still here and the same. */
async function findParent(
  store: GenerationStore,
  { parent }: Manifest,
): Promise<{ name: string; items: number } | null> {
  if (!parent || !(await store.list()).includes(parent.name)) return null
  const manifest = await store.read(parent.name)
  return manifest.digest === parent.digest ? { name: parent.name, items: countItems(manifest) } : null
}
