import {
  GOLDEN_FILE,
  type Manifest,
  SHARD_FILES,
  type ShardEntry,
  searchFile,
  shardFile,
} from './manifest.ts'

/** How a file of a generation comes about from a base and a patch; files are positions in the lists of the manifests. */
export type FileWay =
  /** The same bytes are a file of the base. */
  | { readonly way: 'copy'; readonly file: number; readonly base: number }
  /** Rows or lines that are in files of the base, or new. */
  | { readonly way: 'rows' | 'lines'; readonly file: number }
  | { readonly way: 'derived'; readonly file: number; readonly derivation: Derivation }
  | { readonly way: 'bytes'; readonly file: number }

/** What makes a file from another one of its shard, which is at the path `from`. */
export type Derivation =
  /** items.idx, from the lines */
  | { readonly kind: 'offsets'; readonly from: string }
  /** index.i8.npy, from the vectors */
  | {
      readonly kind: 'codes'
      readonly from: string
      readonly scale: number
      readonly items: number
      readonly dimensions: number
    }

const ORDER = ['copy', 'rows', 'lines', 'bytes', 'derived'] as const

/**
 * How each file may come about, in the order of a patch: what others are derived from comes first. Whether a derived
 * file really comes out the same has to be tried.
 */
export function planWays(
  { files, clusters, model }: Pick<Manifest, 'files' | 'clusters' | 'model'>,
  base: Pick<Manifest, 'files'>,
): FileWay[] {
  const held = new Map(base.files.map(({ sha256 }, index) => [sha256, index]))
  const derivations = new Map(clusters.flatMap((shard) => listDerived(shard, model.dimensions)))
  const ways = files.map(({ path, sha256 }, file): FileWay => {
    const same = held.get(sha256)
    if (same !== undefined) return { way: 'copy', file, base: same }
    const derivation = derivations.get(path)
    return derivation ? { way: 'derived', file, derivation } : { way: wayOf(path), file }
  })
  return ways.sort((a, b) => ORDER.indexOf(a.way) - ORDER.indexOf(b.way) || a.file - b.file)
}

/** Whether a file that is not derived consists of rows of one width, of lines, or of neither. */
export function wayOf(path: string): 'rows' | 'lines' | 'bytes' {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (name === SHARD_FILES.vectors) return 'rows'
  // A golden query is a line, too.
  return name === SHARD_FILES.items || path === GOLDEN_FILE ? 'lines' : 'bytes'
}

/** The derived files of a shard, by their paths. */
export function listDerived(shard: ShardEntry, dimensions: number): [string, Derivation][] {
  const { id, items, search } = shard
  const derived: [string, Derivation][] = [
    [shardFile(id, 'offsets'), { kind: 'offsets', from: shardFile(id, 'items') }],
  ]
  if (search?.kind === 'exact-i8') {
    const from = shardFile(id, 'vectors')
    derived.push([searchFile(shard)!, { kind: 'codes', from, scale: search.scale, items, dimensions }])
  }
  return derived
}
