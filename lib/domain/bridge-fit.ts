import { type BridgeKind, crossBridge } from './bridge.ts'
import { findOrthogonalFactor, type Matrix, multiplyTransposed, solvePositive } from './bridge-algebra.ts'
import type { Model } from './model.ts'
import { innerProduct, scoreOf } from './similarity.ts'

/** The same items under two models: row i of `from` [n, dimensions of the queries' model] is row i of `to` [n, dimensions]. */
export type BridgePairs = { readonly from: Float32Array; readonly to: Float32Array }

/** Pairs that a map is fitted to, those that it is chosen by, and those that it is judged by. */
export type BridgeParts = { readonly [part in 'fit' | 'choose' | 'judge']: readonly number[] }

/** A map [dimensions of the queries' model, dimensions]. */
export type BridgeMap = { readonly kind: BridgeKind; readonly map: Float32Array }

/** Against how much each weight counts, as a share of the mean square of a dimension. */
const PENALTIES = [1e-6, 1e-4, 1e-2, 1]
const MOST_HELD_OUT = 256

/** Places of `count` pairs, which are in no order: a fifth, and no more than 256, to choose and to judge by each. */
export function partPairs(count: number): BridgeParts {
  const held = Math.min(MOST_HELD_OUT, Math.floor(count / 5))
  const places = Array.from({ length: count }, (_, place) => place)
  return {
    judge: places.slice(0, held),
    choose: places.slice(held, 2 * held),
    fit: places.slice(2 * held),
  }
}

/**
 * The linear map by which rows of one model come nearest to those of `model`: of the orthogonal Procrustes solution
 * (Schönemann 1966), where both have as many dimensions, and ridge regressions (Hoerl and Kennard 1970) the one that does
 * best on pairs that none was fitted to.
 */
export function fitBridge(fit: BridgePairs, choose: BridgePairs, model: Model): BridgeMap {
  const candidates = listCandidates(fit, model.dimensions)
  const scored = candidates.map((candidate) => ({
    candidate,
    nearness: measureNearness(candidate.map, choose, model),
  }))
  return scored.reduce((best, one) => (one.nearness > best.nearness ? one : best)).candidate
}

function listCandidates(fit: BridgePairs, dimensions: number): BridgeMap[] {
  const rows = fit.to.length / dimensions
  const from = toMatrix(fit.from, rows)
  const products = multiplyTransposed(from, toMatrix(fit.to, rows))
  const squares = multiplyTransposed(from, from)
  const ridges = PENALTIES.map((penalty) => {
    const { values } = solvePositive(penalise(squares, penalty), products)
    return { kind: 'ridge' as const, map: Float32Array.from(values) }
  })
  if (from.columns !== dimensions) return ridges
  const { values } = findOrthogonalFactor(products)
  return [{ kind: 'procrustes', map: Float32Array.from(values) }, ...ridges]
}

function penalise({ rows, columns, values }: Matrix, penalty: number): Matrix {
  const penalised = values.slice()
  let trace = 0
  for (let at = 0; at < rows; at++) trace += values[at * rows + at]!
  const added = penalty * (trace / rows || 1)
  for (let at = 0; at < rows; at++) penalised[at * rows + at]! += added
  return { rows, columns, values: penalised }
}

/** Mean score of mapped rows with those that they should be; distances where lengths count. */
function measureNearness(map: Float32Array, { from, to }: BridgePairs, model: Model): number {
  const { dimensions } = model
  const mapped = crossBridge(map, from, model)
  const metric = model.metric === 'cosine' ? 'cosine' : 'l2'
  let sum = 0
  for (let at = 0; at < to.length; at += dimensions) {
    const [one, other] = [mapped.subarray(at, at + dimensions), to.subarray(at, at + dimensions)]
    const squares = { squaredA: innerProduct(one, one), squaredB: innerProduct(other, other) }
    sum += scoreOf(metric, { product: innerProduct(one, other), ...squares })
  }
  return sum
}

function toMatrix(values: Float32Array, rows: number): Matrix {
  return { rows, columns: values.length / rows, values: Float64Array.from(values) }
}

/** Mean share of what each list of `wanted` holds that the list of `found` at its place holds too. */
export function measureKept(
  wanted: readonly (readonly string[])[],
  found: readonly (readonly string[])[],
): number {
  const shares = wanted.map((ids, query) => {
    const known = new Set(found[query])
    return ids.length === 0 ? 1 : ids.filter((id) => known.has(id)).length / ids.length
  })
  return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length)
}
