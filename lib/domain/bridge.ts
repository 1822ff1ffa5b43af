import type { Model } from './model.ts'

/** The map of a bridge in its generation. */
export const BRIDGE_FILE = 'bridge.npy'

/** An orthogonal map keeps lengths and angles, and needs as many dimensions on either side; a ridge regression needs neither. */
export const BRIDGE_KINDS = ['procrustes', 'ridge'] as const
export type BridgeKind = (typeof BRIDGE_KINDS)[number]

/** How queries of another model search a generation: embedded by `model`, and multiplied by `map`, which leads into its own space. */
export type Bridge = {
  readonly model: Model
  /** The file of the map, float32 [dimensions of the queries' model, dimensions of the generation's]. */
  readonly map: typeof BRIDGE_FILE
  readonly kind: BridgeKind
  /** Items under both models that the map was fitted to and judged by. */
  readonly pairs: number
  /** How many of these it was not fitted to and is judged by. */
  readonly heldOut: number
  /** Share of the ten nearest items that queries of the former model find, and mapped ones find too. */
  readonly keptRecall: number
}

type Bridged = { readonly model: Model; readonly bridge?: Bridge }

/** The model that queries of a generation are embedded with: its own, unless it is reached by a bridge. */
export function queryModelOf({ model, bridge }: Bridged): Model {
  return bridge?.model ?? model
}

/**
 * Rows [n, dimensions of the queries' model] led by `map` [dimensions of the queries' model, dimensions of `model`] into the
 * space of `model`, and brought to unit length where its embeddings have that.
 */
export function crossBridge(
  map: ArrayLike<number>,
  rows: ArrayLike<number>,
  { dimensions, normalized }: Pick<Model, 'dimensions' | 'normalized'>,
): Float32Array {
  const from = map.length / dimensions
  const count = rows.length / from
  const crossed = new Float32Array(count * dimensions)
  const sums = new Float64Array(dimensions)
  for (let row = 0; row < count; row++) {
    sums.fill(0)
    for (let at = 0; at < from; at++) {
      const value = rows[row * from + at]!
      if (value === 0) continue
      for (let column = 0; column < dimensions; column++)
        sums[column]! += value * map[at * dimensions + column]!
    }
    const length = normalized ? Math.hypot(...sums) : 1
    for (let column = 0; column < dimensions; column++) {
      crossed[row * dimensions + column] = length === 0 ? 0 : sums[column]! / length
    }
  }
  return crossed
}
