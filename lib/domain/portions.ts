import { type FileEntry, type Manifest, shardDirectory } from './manifest.ts'
import { listHolders, type Spread } from './shard-spread.ts'

/** What each node shall hold of a generation whose shards are spread; the files that belong to no shard are everywhere. */
export type Portions = {
  /** Ids of clusters, ascending, by the name of the node. */
  readonly clustersOf: ReadonlyMap<string, readonly number[]>
  readonly shardBytes: ReadonlyMap<number, number>
  readonly commonBytes: number
}

/** Which shards each node shall hold. `files` may be left out where nobody knows them any more. */
export function planPortions(
  { clusters, files }: { readonly clusters: readonly number[]; readonly files: readonly FileEntry[] },
  spread: Spread,
): Portions {
  const clustersOf = new Map<string, number[]>(spread.nodes.map(({ name }) => [name, []]))
  for (const cluster of clusters.toSorted((a, b) => a - b)) {
    for (const name of listHolders(spread, cluster)) clustersOf.get(name)!.push(cluster)
  }
  const shardBytes = new Map<number, number>(clusters.map((cluster) => [cluster, 0]))
  let commonBytes = 0
  for (const { path, bytes } of files) {
    const cluster = parseShard(path)
    if (cluster === undefined) commonBytes += bytes
    else shardBytes.set(cluster, (shardBytes.get(cluster) ?? 0) + bytes)
  }
  return { clustersOf, shardBytes, commonBytes }
}

/** Bytes of these shards. */
export function countShards({ shardBytes }: Portions, clusters: readonly number[]): number {
  return clusters.reduce((sum, cluster) => sum + (shardBytes.get(cluster) ?? 0), 0)
}

/** The files of a generation that belong to these clusters or to none; all where no clusters are given. */
export function selectFiles(
  { files }: Pick<Manifest, 'files'>,
  clusters: readonly number[] | undefined,
): readonly FileEntry[] {
  if (clusters === undefined) return files
  const wanted = new Set(clusters)
  return files.filter(({ path }) => {
    const cluster = parseShard(path)
    return cluster === undefined || wanted.has(cluster)
  })
}

/** The clusters whose shards are in directories of these names; undefined where none of the manifest's is missing. */
export function findClusters(
  { clusters }: Pick<Manifest, 'clusters'>,
  directories: ReadonlySet<string>,
): number[] | undefined {
  const held = clusters.map(({ id }) => id).filter((id) => directories.has(shardDirectory(id)))
  return held.length === clusters.length ? undefined : held
}

function parseShard(path: string): number | undefined {
  const [, digits] = /^clust_(\d+)\//.exec(path) ?? []
  return digits === undefined ? undefined : Number(digits)
}
