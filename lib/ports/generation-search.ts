import type { Golden } from '../domain/golden.ts'
import type { Manifest } from '../domain/manifest.ts'

/** An item that was found; higher scores are better. */
export type FoundItem = { readonly id: string; readonly score: number }

/** Looks for items in generations on the operator's machine, without any service. */
export interface GenerationSearch {
  /** The golden queries of a generation. Raises `corrupt`. */
  readGolden(manifest: Manifest): Promise<Golden>
  /**
   * The `k` best items for each of `queries` [n, dimensions], best first, by comparing every vector of the generation;
   * `k` is at most 21. Raises `corrupt` for files that are not whole.
   */
  search(
    manifest: Manifest,
    queries: Float32Array,
    options: { readonly k: number; readonly signal: AbortSignal },
  ): Promise<FoundItem[][]>
}
